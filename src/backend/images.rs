//! The images of a batch, whatever stands for them: written out, under masks, or at a layer.

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};

use super::{BitRows, Inpainted, Inpainting, Masked, Masks};
use crate::{
    error::{Error, Result},
    tensor::Tensor,
};

/// The images of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Images<'a> {
    /// `[N, C, H, W]`, normalised.
    Batch(&'a Tensor),
    /// One image under many masks; the masked images are never stored.
    Masked(Masked<'a>),
    /// One image under many masks, each with a filling of its own; written out one by one as they are run.
    Inpainted(Inpainted<'a>),
    /// For programs that start at a layer, see [`LayerInput`].
    AtLayer(LayerInput<'a>),
}

/// A layer's values, and the image that they stand in. What gets past the layer, as around a residual block, is
/// what the image makes it.
#[derive(Clone, Copy, Debug)]
pub struct LayerInput<'a> {
    /// `[N, ...]`: the layer's values.
    pub points: &'a Tensor,
    /// `[C, H, W]`, normalised.
    pub image: &'a Tensor,
}

impl<'a> Images<'a> {
    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Batch(t) => t.shape()[0],
            Self::Masked(m) => m.masks.len(),
            Self::Inpainted(m) => m.shown.len(),
            Self::AtLayer(at) => at.points.shape()[0],
        }
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks the images for a program that takes values of `shape` each. `input` is the shape of the network's input,
    /// which the image behind a layer's values must have; none where the program does without that image.
    ///
    /// # Errors
    /// [`Error::Argument`] when a shape is another, or masks do not fit; [`Error::NotFinite`].
    pub fn check(&self, shape: &[usize], input: Option<&[usize]>) -> Result<()> {
        let fits = |what: &str, got: &[usize], wanted: &[usize]| match got == wanted {
            true => Ok(()),
            false => Err(Error::Argument(format!(
                "{what} of shape {got:?} does not fit the network, which takes {wanted:?}"
            ))),
        };
        match self {
            Self::Batch(batch) => {
                fits("an image", batch.shape().get(1..).unwrap_or_default(), shape)?;
                batch.check_finite("the image")
            }
            Self::AtLayer(at) => {
                if let Some(input) = input {
                    fits("an image", at.image.shape(), input)?;
                }
                fits("a layer's value", at.points.shape().get(1..).unwrap_or_default(), shape)?;
                at.image.check_finite("the image")?;
                at.points.check_finite("the layer's values")
            }
            Self::Masked(masked) => {
                fits("an image", masked.image.shape(), shape)?;
                masked.check()?;
                masked.image.check_finite("the image")?;
                masked.fill.check_finite("the fill")
            }
            Self::Inpainted(masked) => {
                fits("an image", masked.by.shape(), shape)?;
                masked.check()?;
                masked.by.check_finite()
            }
        }
    }

    /// The values of image `i`, row by row. [`Self::check`] must have passed.
    #[must_use]
    pub fn written(&self, i: usize) -> Cow<'a, [f32]> {
        match *self {
            Self::Batch(batch) => batch.row(i).into(),
            Self::AtLayer(at) => at.points.row(i).into(),
            Self::Masked(masked) => masked.mixed(i).into(),
            Self::Inpainted(masked) => masked.written(i).into(),
        }
    }

    /// The images of a range.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> ImagesPart<'a> {
        match *self {
            Self::Batch(batch) => ImagesPart::Batch(batch.slice(range)),
            Self::Masked(Masked { image, fill, masks }) => ImagesPart::Masked {
                image: Cow::Borrowed(image),
                fill: Cow::Borrowed(fill),
                masks: masks.slice(range),
            },
            Self::Inpainted(Inpainted { by, shown }) => {
                ImagesPart::Inpainted { by: Cow::Borrowed(by), shown: shown.slice(range) }
            }
            Self::AtLayer(LayerInput { points, image }) => {
                ImagesPart::AtLayer { points: points.slice(range), image: Cow::Borrowed(image) }
            }
        }
    }
}

/// Some of a batch's images: what they share is borrowed, or was read.
#[derive(Serialize, Deserialize)]
pub enum ImagesPart<'a> {
    /// See [`Images::Batch`].
    Batch(Tensor),
    /// See [`Images::Masked`].
    Masked {
        /// See [`Masked::image`].
        image: Cow<'a, Tensor>,
        /// See [`Masked::fill`].
        fill: Cow<'a, Tensor>,
        /// See [`Masked::masks`].
        masks: Masks,
    },
    /// See [`Images::Inpainted`].
    Inpainted {
        /// See [`Inpainted::by`].
        by: Cow<'a, Inpainting>,
        /// See [`Inpainted::shown`].
        shown: BitRows,
    },
    /// See [`Images::AtLayer`].
    AtLayer {
        /// See [`LayerInput::points`].
        points: Tensor,
        /// See [`LayerInput::image`].
        image: Cow<'a, Tensor>,
    },
}

impl ImagesPart<'_> {
    /// The images, as a backend takes them.
    #[must_use]
    pub fn images(&self) -> Images<'_> {
        match self {
            Self::Batch(batch) => Images::Batch(batch),
            Self::Masked { image, fill, masks } => Images::Masked(Masked { image, fill, masks }),
            Self::Inpainted { by, shown } => Images::Inpainted(Inpainted { by, shown }),
            Self::AtLayer { points, image } => Images::AtLayer(LayerInput { points, image }),
        }
    }
}
