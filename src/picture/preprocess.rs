//! The preprocessing that a network wants of its input: size, crop and scale.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::resample::{Interpolation, resize_window};
use super::{Picture, luma};
use crate::error::{Error, Result};
use crate::limits::{self, IMAGE_SIDE};
use crate::tensor::Tensor;

/// The steps from a picture to a network's input: resize, centre crop, then `(value - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preprocessing {
    /// Subtracted from red, green and blue, on the 0..255 scale.
    pub mean: [f32; 3],
    /// Divisors of red, green and blue, on the 0..255 scale; positive.
    pub std: [f32; 3],
    /// The short side after resizing, in pixels, before the crop. `None`: 256/224 of the input's longer side,
    /// rounded down, as ImageNet models are usually evaluated.
    pub resize: Option<u32>,
    /// The filter of the resize.
    pub interpolation: Interpolation,
}

impl Default for Preprocessing {
    /// The mean and standard deviation of ImageNet's training pictures, as torchvision's models use them.
    fn default() -> Self {
        Self {
            mean: [0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0],
            std: [0.229 * 255.0, 0.224 * 255.0, 0.225 * 255.0],
            resize: None,
            interpolation: Interpolation::default(),
        }
    }
}

impl Preprocessing {
    /// Resizes so that the short side is [`Self::resize`], then takes the middle `height` x `width` pixels:
    /// the bytes of torchvision's `Resize` and `CenterCrop` on a Pillow image. What the resized picture lacks
    /// is black, as there.
    ///
    /// Fails with [`Error::Argument`] when a size is zero, and with [`Error::Limit`] when the short side would
    /// be longer than [`IMAGE_SIDE`].
    pub fn fit(&self, picture: &Picture, height: usize, width: usize) -> Result<Picture> {
        picture.check()?;
        let short = self.short_side(height, width)?;
        let (full_width, full_height) = with_short_side(picture, short);
        let (columns, left) = centre(full_width, width);
        let (rows, top) = centre(full_height, height);
        let part = resize_window(picture, (full_width, columns), (full_height, rows), self.interpolation);
        Ok(if (part.width, part.height) == (width, height) {
            part
        } else {
            pad(&part, left, top, width, height)
        })
    }

    /// The short side after resizing, for a crop of `height` x `width`.
    pub(super) fn short_side(&self, height: usize, width: usize) -> Result<usize> {
        let short = self.resize.map_or(height.max(width) * 256 / 224, |s| s as usize);
        // Keeps the long side of the resized picture, which is at most this squared, within 32 bits.
        limits::check("the side to resize to in pixels", short as u64, IMAGE_SIDE)?;
        if height == 0 || width == 0 || short == 0 {
            return Err(Error::Argument(format!(
                "a picture cannot be resized to {short} and cropped to {width} x {height} pixels"
            )));
        }
        Ok(short)
    }

    /// The network's input `[C, H, W]`, without unit: `(value - mean) / std` of red, green and blue where
    /// `channels` is 3, of the luma (ITU-R BT.601, with the first of the means and deviations) where it is 1.
    ///
    /// Fails with [`Error::Argument`] for other channel counts, and for a mean or std that is no use.
    pub fn normalise(&self, picture: &Picture, channels: usize) -> Result<Tensor> {
        picture.check()?;
        self.check()?;
        let plane = |c: usize| {
            let (mean, std) = (self.mean[c], self.std[c]);
            let value = move |p: &[u8]| if channels == 1 { luma([p[0], p[1], p[2]]) } else { p[c] };
            picture.rgb.chunks_exact(3).map(move |p| (f32::from(value(p)) - mean) / std)
        };
        if channels != 1 && channels != 3 {
            return Err(Error::Argument(format!(
                "the network reads {channels} channels, and a picture gives 1 or 3; pass the input as a .npy file"
            )));
        }
        Tensor::new([channels, picture.height, picture.width], (0..channels).flat_map(plane).collect())
    }

    /// The picture of an input `[C, H, W]` or `[1, C, H, W]` with C = 3, or 1 (grey), for showing it: rounded,
    /// and cut off at 0 and 255.
    ///
    /// Fails with [`Error::Argument`] for other shapes, and with [`Error::NotFinite`].
    pub fn denormalise(&self, input: &Tensor) -> Result<Picture> {
        self.check()?;
        input.check_finite("the input")?;
        let (channels, height, width) = match *input.shape() {
            [c @ (1 | 3), h, w] | [1, c @ (1 | 3), h, w] => (c, h, w),
            _ => {
                return Err(Error::Argument(format!(
                    "an input of shape {:?} is no picture; [C, H, W] with 1 or 3 channels is",
                    input.shape()
                )));
            }
        };
        let area = height * width;
        let byte = |i: usize, c: usize| {
            let c = c.min(channels - 1);
            (input.data()[c * area + i] * self.std[c] + self.mean[c]).round().clamp(0.0, 255.0) as u8
        };
        Picture::new(width, height, (0..area).flat_map(|i| [byte(i, 0), byte(i, 1), byte(i, 2)]).collect())
    }

    fn check(&self) -> Result<()> {
        let fine =
            self.mean.iter().all(|m| m.is_finite()) && self.std.iter().all(|s| s.is_finite() && *s > 0.0);
        if fine {
            return Ok(());
        }
        Err(Error::Argument(format!(
            "mean {:?} and std {:?} must be finite, and std above zero",
            self.mean, self.std
        )))
    }
}

/// The width and height at which the shorter one is `short`; the longer one is rounded down.
pub(super) fn with_short_side(picture: &Picture, short: usize) -> (usize, usize) {
    let longer = |long: usize, side: usize| (short as u64 * long as u64 / side as u64) as usize;
    let (w, h) = (picture.width, picture.height);
    if w <= h { (short, longer(h, w)) } else { (longer(w, h), short) }
}

/// The middle `wanted` of `full` pixels, and how many are missing before it. torchvision's rounding: the
/// crop's start to even on a tie, the padding's down.
pub(super) fn centre(full: usize, wanted: usize) -> (Range<usize>, usize) {
    if full <= wanted {
        return (0..full, (wanted - full) / 2);
    }
    let start = ((full - wanted) as f64 / 2.0).round_ties_even() as usize;
    (start..start + wanted, 0)
}

fn pad(part: &Picture, left: usize, top: usize, width: usize, height: usize) -> Picture {
    let mut whole = Picture::plain(width, height, [0; 3]);
    for (y, row) in part.rgb.chunks_exact(3 * part.width).enumerate() {
        let at = 3 * ((top + y) * width + left);
        whole.rgb[at..at + row.len()].copy_from_slice(row);
    }
    whole
}

#[cfg(test)]
#[path = "preprocess_tests.rs"]
mod tests;
