//! What hides the parts of an image for SHAP: fills, and inpainting from what shows beside.

use super::{
    fill::Fill,
    inpaint::{Inpainter, Scheme},
};
use crate::{
    backend::BitRows,
    error::{Error, Result},
    picture::{Picture, Preprocessing},
    tensor::Tensor,
};

/// What hides a part of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Masker {
    /// The same whatever else shows.
    Fill(Fill),
    /// Filled in from what shows beside.
    Inpaint(Scheme),
}

impl Masker {
    /// Reads `inpaint-telea`, `inpaint-ns` or a [`Fill`].
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "inpaint-telea" => Ok(Self::Inpaint(Scheme::Telea)),
            "inpaint-ns" => Ok(Self::Inpaint(Scheme::NavierStokes)),
            _ => Fill::parse(text).map(Self::Fill).map_err(|_| {
                Error::Argument(format!(
                    "the masker {text:?} is unknown; use blur:KX,KY with sides from 1 to 1000, inpaint-telea, inpaint-ns, zero, mean or a colour as #rrggbb"
                ))
            }),
        }
    }

    /// Makes the masker ready for an image, `[C, H, W]` and normalised.
    pub fn ready<'a>(&self, image: &'a Tensor, preprocessing: &Preprocessing) -> Result<Ready<'a>> {
        let (fill, inpainting) = match self {
            Self::Fill(fill) => (fill.image(image, preprocessing), None),
            // Nothing is left to inpaint from when all is hidden.
            Self::Inpaint(scheme) => {
                let inpainter = Inpainter::new(preprocessing.denormalise(image)?, *scheme);
                let greys = (0..=255u8).flat_map(|v| [v; 3]).collect();
                let levels = preprocessing.normalise(&Picture::new(256, 1, greys)?, image.shape()[0])?;
                (Fill::Mean.image(image, preprocessing), Some((inpainter, levels)))
            }
        };
        Ok(Ready { image, fill, inpainting })
    }
}

/// A masker made ready for an image.
pub struct Ready<'a> {
    image: &'a Tensor,
    fill: Tensor,
    /// And what each byte is at the network's input: `[C, 1, 256]`.
    inpainting: Option<(Inpainter, Tensor)>,
}

impl Ready<'_> {
    /// Whether what hides a part depends on what shows beside it.
    #[must_use]
    pub fn depends_on_mask(&self) -> bool {
        self.inpainting.is_some()
    }

    /// What hides the whole image: `[C, H, W]`; under inpainting the mean colour.
    #[must_use]
    pub fn fill(&self) -> &Tensor {
        &self.fill
    }

    /// The image with its hidden pixels filled in; the row has one bit a value, set where it shows. Under inpainting a
    /// pixel of which any channel is hidden is filled in whole, as shap does.
    #[must_use]
    pub fn written(&mut self, shown: &BitRows, row: usize) -> Tensor {
        let plane = self.image.row_len();
        let hidden = hidden(shown, row, plane);
        let filled = match &mut self.inpainting {
            Some((inpainter, levels)) if hidden.contains(&false) => Some((inpainter.fill(&hidden), levels)),
            _ => None,
        };
        let mut mixed = self.image.clone();
        for (c, channel) in mixed.data_mut().chunks_exact_mut(plane).enumerate() {
            let values = channel.iter_mut().zip(&hidden);
            match &filled {
                Some((picture, levels)) => {
                    let levels = levels.row(c);
                    let bytes = picture.rgb.iter().skip(c.min(2)).step_by(3);
                    let hidden = values.zip(bytes).filter(|((_, h), _)| **h);
                    hidden.for_each(|((value, _), byte)| *value = levels[usize::from(*byte)]);
                }
                None => {
                    let hidden = values.zip(self.fill.row(c)).filter(|((_, h), _)| **h);
                    hidden.for_each(|((value, _), fill)| *value = *fill);
                }
            }
        }
        mixed
    }
}

/// The pixels of which any channel is hidden.
fn hidden(shown: &BitRows, row: usize, plane: usize) -> Vec<bool> {
    let mut hidden = vec![false; plane];
    let words = shown.words(row);
    for first in (0..shown.bits()).step_by(plane) {
        for (i, hidden) in (first..shown.bits()).zip(&mut hidden) {
            *hidden |= words[i / 32] >> (i % 32) & 1 == 0;
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maskers_are_read() {
        assert_eq!(Masker::parse("inpaint-ns").unwrap(), Masker::Inpaint(Scheme::NavierStokes));
        assert_eq!(Masker::parse("blur:5,9").unwrap(), Masker::Fill(Fill::Blur([5, 9])));
        let error = Masker::parse("inpaint").unwrap_err();
        assert!(error.to_string().contains("inpaint-telea"), "{error}");
    }

    #[test]
    fn pixels_that_show_are_exact_and_nothing_left_is_the_mean() {
        let preprocessing = Preprocessing::default();
        let image = Tensor::new([3, 4, 5], (0..60u8).map(|i| f32::from(i) / 37.0 - 0.6).collect()).unwrap();
        let mut ready = Masker::Inpaint(Scheme::Telea).ready(&image, &preprocessing).unwrap();
        let mut rows = BitRows::new(60);
        rows.push((0..60).map(|i| i != 7 && i != 20 + 3));
        rows.push((0..60).map(|_| false));
        let got = ready.written(&rows, 0);
        for (i, (g, x)) in got.data().iter().zip(image.data()).enumerate() {
            assert_eq!(g == x, ![3, 7].contains(&(i % 20)), "{i}");
        }
        let none = ready.written(&rows, 1);
        assert_eq!(none, Fill::Mean.image(&image, &preprocessing));
        assert_eq!(&none, ready.fill());
    }
}
