//! One image under many masks, what they hide filled in from what shows beside it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize, Serializer};

use super::BitRows;
use crate::{
    error::{Error, Result},
    picture::{
        Picture, Preprocessing,
        inpaint::{Inpainter, Scheme},
    },
    tensor::Tensor,
};

/// Masked images that each have a filling of their own; none is stored before it is run.
#[derive(Clone, Copy, Debug)]
pub struct Inpainted<'a> {
    /// The image, and how it is filled.
    pub by: &'a Inpainting,
    /// One mask per image of the batch: one bit per value, set where it shows.
    pub shown: &'a BitRows,
}

impl Inpainted<'_> {
    /// Fails with [`Error::Argument`] unless the masks are of the image's size.
    pub fn check(&self) -> Result<()> {
        let image = &self.by.args.image;
        if self.shown.bits() == image.len() && self.shown.is_whole() {
            return Ok(());
        }
        Err(Error::Argument(format!("the masks are not of the image's size, {:?}", image.shape())))
    }

    /// The image with its hidden pixels filled in. [`Self::check`] must have passed.
    #[must_use]
    pub fn written(&self, mask: usize) -> Vec<f32> {
        self.by.written(self.shown, mask)
    }
}

/// An image, ready to be filled under many masks, by several threads at once.
#[derive(Deserialize)]
#[serde(try_from = "InpaintingArgs")]
pub struct Inpainting {
    args: InpaintingArgs,
    picture: Picture,
    /// Each byte's value at the network's input: `[C, 1, 256]`.
    levels: Tensor,
    /// Inpainters that nobody uses just now.
    idle: Mutex<Vec<Inpainter>>,
}

/// All that an [`Inpainting`] is made of.
#[derive(Clone, Serialize, Deserialize)]
struct InpaintingArgs {
    image: Tensor,
    all_hidden: Tensor,
    preprocessing: Preprocessing,
    scheme: Scheme,
}

impl Inpainting {
    /// For an image `[C, H, W]`, normalised. `all_hidden`, of the same shape, is the image to use when every pixel
    /// is hidden, so that there is nothing to inpaint from.
    ///
    /// # Errors
    /// [`Error::Argument`] when the image is no picture under this preprocessing, or the two are not of one shape.
    pub fn new(
        image: Tensor,
        all_hidden: Tensor,
        preprocessing: Preprocessing,
        scheme: Scheme,
    ) -> Result<Self> {
        InpaintingArgs { image, all_hidden, preprocessing, scheme }.try_into()
    }

    /// The shape of the image: `[C, H, W]`.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.args.image.shape()
    }

    /// Whether all that is seen under any mask is finite.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where it is not.
    pub fn check_finite(&self) -> Result<()> {
        self.args.image.check_finite("the image")?;
        self.args.all_hidden.check_finite("the fill")
    }

    /// The image with its hidden pixels filled in. A pixel of which any channel is hidden is filled in whole, as shap
    /// does; what shows keeps its exact values.
    fn written(&self, shown: &BitRows, mask: usize) -> Vec<f32> {
        let InpaintingArgs { image, all_hidden, .. } = &self.args;
        let hidden = hidden(shown, mask, image.row_len());
        if !hidden.contains(&false) {
            return all_hidden.data().to_vec();
        }
        let filled = self.fill(&hidden);
        let (pixels, _) = filled.rgb.as_chunks::<3>();
        let mut written = image.data().to_vec();
        for (c, channel) in written.chunks_exact_mut(hidden.len()).enumerate() {
            let levels = self.levels.row(c);
            for ((value, rgb), _) in channel.iter_mut().zip(pixels).zip(&hidden).filter(|(_, h)| **h) {
                *value = levels[usize::from(rgb[c])];
            }
        }
        written
    }

    fn fill(&self, hidden: &[bool]) -> Picture {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let one = idle().pop();
        let mut inpainter = one.unwrap_or_else(|| Inpainter::new(self.picture.clone(), self.args.scheme));
        let filled = inpainter.fill(hidden);
        idle().push(inpainter);
        filled
    }
}

/// The pixels of which any channel is hidden.
fn hidden(shown: &BitRows, row: usize, plane: usize) -> Vec<bool> {
    let mut hidden = vec![false; plane];
    for channel in (0..shown.bits()).step_by(plane) {
        for (first, pixels) in (channel..).step_by(32).zip(hidden.chunks_mut(32)) {
            match shown.word_at(row, first) {
                u32::MAX => {}
                0 => pixels.fill(true),
                word => pixels.iter_mut().enumerate().for_each(|(i, hidden)| *hidden |= word >> i & 1 == 0),
            }
        }
    }
    hidden
}

impl TryFrom<InpaintingArgs> for Inpainting {
    type Error = Error;

    fn try_from(args: InpaintingArgs) -> Result<Self> {
        let InpaintingArgs { image, all_hidden, preprocessing, .. } = &args;
        if image.shape() != all_hidden.shape() {
            return Err(Error::Argument("what hides the whole image is not of its size".into()));
        }
        let picture = preprocessing.denormalise(image)?;
        let greys = (0..=255u8).flat_map(|v| [v; 3]).collect();
        let levels = preprocessing.normalise(&Picture::new(256, 1, greys)?, image.shape()[0])?;
        Ok(Self { args, picture, levels, idle: Mutex::default() })
    }
}

impl Serialize for Inpainting {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.args.serialize(serializer)
    }
}

impl fmt::Debug for Inpainting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inpainting").field(&self.args.scheme).field(&self.shape()).finish()
    }
}

/// Without the inpainters, which are made when they are needed.
impl Clone for Inpainting {
    fn clone(&self) -> Self {
        let Self { args, picture, levels, .. } = self;
        let (args, picture, levels) = (args.clone(), picture.clone(), levels.clone());
        Self { args, picture, levels, idle: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;

    fn image() -> Tensor {
        Tensor::new([3, 4, 5], (0..60u8).map(|i| f32::from(i) / 37.0 - 0.6).collect()).unwrap()
    }

    #[test]
    fn pixels_that_show_are_exact_and_nothing_left_is_what_was_said() {
        let (image, nothing) = (image(), Tensor::zeros([3, 4, 5]));
        let made = Inpainting::new(image.clone(), nothing.clone(), Preprocessing::default(), Scheme::Telea);
        let by = made.unwrap();
        let mut shown = BitRows::new(60);
        shown.push((0..60).map(|i| i != 7 && i != 20 + 3));
        shown.push((0..60).map(|_| false));
        let masked = Inpainted { by: &by, shown: &shown };
        masked.check().unwrap();
        for (i, (got, x)) in masked.written(0).iter().zip(image.data()).enumerate() {
            assert_eq!(got == x, ![3, 7].contains(&(i % 20)), "{i}");
        }
        assert_eq!(masked.written(1), nothing.data());
    }

    /// Whole words and parts of some, hidden in one channel or in all.
    #[test]
    fn a_pixel_is_hidden_with_any_of_its_channels() {
        let mut rng = crate::rng::for_sample(5, 0);
        for (channels, plane) in [(1, 31), (1, 64), (3, 20), (3, 96), (3, 101)] {
            let share = rng.random_range(0.0..1.0);
            let mut bits: Vec<bool> = (0..channels * plane).map(|_| rng.random_bool(share)).collect();
            for (at, shows) in [(0, false), (plane / 2, true)] {
                (0..channels).for_each(|c| {
                    bits[c * plane + at..(c * plane + at + 40).min((c + 1) * plane)].fill(shows)
                });
            }
            let mut shown = BitRows::new(bits.len());
            shown.push([]);
            shown.push(bits.iter().copied());
            let want: Vec<bool> = (0..plane).map(|i| (0..channels).any(|c| !bits[c * plane + i])).collect();
            assert_eq!(hidden(&shown, 1, plane), want, "{channels} {plane}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let made = |nothing: &[usize]| {
            let nothing = Tensor::zeros(nothing);
            Inpainting::new(image(), nothing, Preprocessing::default(), Scheme::NavierStokes)
        };
        assert_eq!(made(&[3, 4, 4]).unwrap_err().code(), "argument");
        let by = made(&[3, 4, 5]).unwrap();
        let mut shown = BitRows::new(59);
        shown.push([]);
        assert_eq!(Inpainted { by: &by, shown: &shown }.check().unwrap_err().code(), "argument");
    }
}
