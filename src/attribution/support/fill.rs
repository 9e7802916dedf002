//! What shows where a part of the image is hidden.

use crate::{
    error::{Error, Result},
    picture::Preprocessing,
    tensor::Tensor,
};

/// What shows where a part of the image is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Zero at the network's input: the preprocessing's mean colour.
    Zero,
    /// The image's own mean colour.
    Mean,
    /// A colour, on the 0..255 scale.
    Colour([u8; 3]),
}

impl Fill {
    /// Reads `zero`, `mean` or `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self> {
        let colour = |hex: &str| -> Option<Self> {
            let bytes = Some(hex).filter(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let bytes = u32::from_str_radix(bytes, 16).ok()?.to_be_bytes();
            Some(Self::Colour([bytes[1], bytes[2], bytes[3]]))
        };
        match text {
            "zero" => Ok(Self::Zero),
            "mean" => Ok(Self::Mean),
            _ => text.strip_prefix('#').and_then(colour).ok_or_else(|| {
                Error::Argument(format!(
                    "the fill {text:?} is unknown; use zero, mean or a colour as #rrggbb"
                ))
            }),
        }
    }

    /// The fill as an image of the same extents: `[C, H, W]`, normalised.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub fn image(&self, image: &Tensor, preprocessing: &Preprocessing) -> Tensor {
        let channels = image.shape()[0];
        let plane = image.row_len();
        let mut fill = Tensor::zeros(image.shape());
        for (c, values) in fill.data_mut().chunks_exact_mut(plane).enumerate() {
            let value = match self {
                Self::Zero => 0.0,
                Self::Mean => (image.row(c).iter().map(|&v| f64::from(v)).sum::<f64>() / plane as f64) as f32,
                Self::Colour(rgb) => {
                    let [r, g, b] = rgb.map(f32::from);
                    let v = if channels == 1 { 0.299 * r + 0.587 * g + 0.114 * b } else { [r, g, b][c] };
                    (v - preprocessing.mean[c]) / preprocessing.std[c]
                }
            };
            values.fill(value);
        }
        fill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_are_read() {
        assert_eq!(Fill::parse("#ff8000").unwrap(), Fill::Colour([255, 128, 0]));
        assert_eq!(Fill::parse("zero").unwrap(), Fill::Zero);
        for bad in ["", "#ff80", "#gg0000", "blue", "#+f8000"] {
            assert_eq!(Fill::parse(bad).unwrap_err().code(), "argument", "{bad}");
        }
    }

    #[test]
    fn colours_are_normalised_like_pixels() {
        let preprocessing =
            Preprocessing { mean: [10.0, 20.0, 30.0], std: [2.0, 4.0, 5.0], ..Default::default() };
        let image = Tensor::new([3, 1, 2], vec![1.0, 3.0, 0.0, 0.0, -1.0, 1.0]).unwrap();
        let fill = Fill::Colour([12, 40, 80]).image(&image, &preprocessing);
        assert_eq!(fill.data(), [1.0, 1.0, 5.0, 5.0, 10.0, 10.0]);
        assert_eq!(Fill::Mean.image(&image, &preprocessing).data(), [2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
