//! Maskers hide the parts of an image for SHAP: fills, and inpainting from what shows beside.

use super::fill::Fill;
use crate::{
    backend::Inpainting,
    error::{Error, Result},
    picture::{Preprocessing, inpaint::Scheme},
    tensor::Tensor,
};

/// A way to hide a part of the image.
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
    pub fn prepare(&self, image: &Tensor, preprocessing: &Preprocessing) -> Result<PreparedMasker> {
        match self {
            Self::Fill(fill) => Ok(PreparedMasker::Fill(fill.image(image, preprocessing))),
            // Nothing is left to inpaint from when all is hidden.
            Self::Inpaint(scheme) => {
                let mean = Fill::Mean.image(image, preprocessing);
                let made = Inpainting::new(image.clone(), mean, preprocessing.clone(), *scheme)?;
                Ok(PreparedMasker::Inpaint(made.into()))
            }
        }
    }
}

/// A masker made ready for an image.
pub enum PreparedMasker {
    /// One fill for all parts: `[C, H, W]`.
    Fill(Tensor),
    /// A fill of its own for each mask, made from what shows.
    Inpaint(Box<Inpainting>),
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
}
