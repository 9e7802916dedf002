//! What hides the parts of an image for SHAP: fills, and inpainting from what shows beside.

use super::{
    fill::Fill,
    inpaint::{self, Scheme},
};
use crate::{
    error::{Error, Result},
    picture::{Picture, Preprocessing},
    tensor::Tensor,
};

/// How far inpainting looks, in pixels: what shap asks of OpenCV.
const RADIUS: usize = 3;

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

    /// Whether what hides a part depends on what shows beside it.
    #[must_use]
    pub fn depends_on_mask(&self) -> bool {
        matches!(self, Self::Inpaint(_))
    }

    /// What hides the whole image: `[C, H, W]`. Nothing is left to inpaint from then, and it is the mean colour.
    #[must_use]
    pub fn fill(&self, image: &Tensor, preprocessing: &Preprocessing) -> Tensor {
        match self {
            Self::Fill(fill) => fill.image(image, preprocessing),
            Self::Inpaint(_) => Fill::Mean.image(image, preprocessing),
        }
    }

    /// The image with its hidden pixels inpainted; `picture` is the same image in bytes, `shown` has one bit a
    /// value. A pixel of which any channel is hidden is filled in whole, as shap does.
    pub fn written(
        &self,
        image: &Tensor,
        picture: &Picture,
        preprocessing: &Preprocessing,
        shown: impl Iterator<Item = bool>,
    ) -> Result<Tensor> {
        let plane = image.row_len();
        let mut hidden = vec![false; plane];
        shown.enumerate().for_each(|(i, s)| hidden[i % plane] |= !s);
        let fill = match self {
            Self::Inpaint(scheme) if hidden.contains(&false) => {
                let filled = inpaint::inpaint(picture, &hidden, RADIUS, *scheme);
                preprocessing.normalise(&filled, image.shape()[0])?
            }
            _ => self.fill(image, preprocessing),
        };
        let mixed = image.data().iter().zip(fill.data()).enumerate();
        let mixed = mixed.map(|(i, (&x, &f))| if hidden[i % plane] { f } else { x }).collect();
        Tensor::new(image.shape(), mixed)
    }
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
        let picture = preprocessing.denormalise(&image).unwrap();
        let masker = Masker::Inpaint(Scheme::Telea);
        let shown = |i: usize| i != 7 && i != 20 + 3;
        let got = masker.written(&image, &picture, &preprocessing, (0..60).map(shown)).unwrap();
        for (i, (g, x)) in got.data().iter().zip(image.data()).enumerate() {
            assert_eq!(g == x, ![3, 7].contains(&(i % 20)), "{i}");
        }
        let none = masker.written(&image, &picture, &preprocessing, (0..60).map(|_| false)).unwrap();
        assert_eq!(none, Fill::Mean.image(&image, &preprocessing));
    }
}
