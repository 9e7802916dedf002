//! The preprocessing that a network wants of its input: size, crop and scale.

use serde::{Deserialize, Serialize};

use super::{
    Picture,
    geometry::{Centre, Resize},
    luma, names,
    resample::{Interpolation, resize_window},
};
use crate::{
    error::{Error, Result},
    tensor::Tensor,
};

/// The order in which a network reads a pixel's colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV and Caffe have them.
    Bgr,
}

names::named!(Channels, "channels");

/// The steps from a picture to a network's input: resize, centre crop, then `(value - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preprocessing {
    /// Subtracted from the channels, in the network's order of them, on the 0..255 scale.
    pub mean: [f32; 3],
    /// Divisors of the channels, in the network's order of them, on the 0..255 scale; positive.
    pub std: [f32; 3],
    /// The order of the network's channels.
    pub channels: Channels,
    /// The size before the crop. The default is a short side of 256/224 of the input's longer side, rounded down, as
    /// ImageNet models are usually evaluated.
    pub resize: Resize,
    /// The filter of the resize.
    pub interpolation: Interpolation,
    /// The rounding of the crop's place.
    pub centre: Centre,
}

impl Default for Preprocessing {
    /// The mean and standard deviation of ImageNet's training pictures, as torchvision's models use them.
    fn default() -> Self {
        Self {
            mean: [0.485 * 255.0, 0.456 * 255.0, 0.406 * 255.0],
            std: [0.229 * 255.0, 0.224 * 255.0, 0.225 * 255.0],
            channels: Channels::Rgb,
            resize: Resize::default(),
            interpolation: Interpolation::default(),
            centre: Centre::default(),
        }
    }
}

impl Preprocessing {
    /// Resizes as [`Self::resize`] says, then takes the middle `height` x `width` pixels: the bytes of torchvision's
    /// `Resize` and `CenterCrop` on a Pillow image. What the resized picture lacks is black, as there; where it was made
    /// to fit whole ([`Resize::Pad`]) it is of the mean's colour.
    ///
    /// Fails with [`Error::Argument`] when a size is zero, and with [`Error::Limit`] when a side would be longer than
    /// [`crate::limits::IMAGE_SIDE`].
    pub fn fit(&self, picture: &Picture, height: usize, width: usize) -> Result<Picture> {
        picture.check()?;
        let (full_width, full_height) = self.resize.full_size(picture, height, width)?;
        let (columns, left) = self.centre.part(full_width, width);
        let (rows, top) = self.centre.part(full_height, height);
        let part = resize_window(picture, (full_width, columns), (full_height, rows), self.interpolation);
        Ok(if (part.width, part.height) == (width, height) {
            part
        } else {
            surround(&part, [left, top], [width, height], self.surround())
        })
    }

    /// The colour around a picture that is smaller than the network's input.
    fn surround(&self) -> [u8; 3] {
        match self.resize {
            Resize::Pad(_) => self.in_order(self.mean.map(|m| m.round().clamp(0.0, 255.0) as u8)),
            _ => [0; 3],
        }
    }

    /// The channels of a colour, or the colour of channels.
    #[must_use]
    pub fn in_order<T>(&self, [first, second, third]: [T; 3]) -> [T; 3] {
        match self.channels {
            Channels::Rgb => [first, second, third],
            Channels::Bgr => [third, second, first],
        }
    }

    /// The mean that is subtracted from a channel, and the deviation that it is divided by. The fourth is the opacity;
    /// where the three colours are not scaled alike it becomes 0 to 1.
    #[must_use]
    pub fn scale(&self, channel: usize) -> (f32, f32) {
        let alike = |v: [f32; 3]| v[0] == v[1] && v[1] == v[2];
        match channel {
            0..3 => (self.mean[channel], self.std[channel]),
            _ if alike(self.mean) && alike(self.std) => (self.mean[0], self.std[0]),
            _ => (0.0, 255.0),
        }
    }

    /// The network's input `[C, H, W]`, without unit: `(value - mean) / std` of the colours where `channels` is 3, of
    /// these and of the opacity where it is 4, of the luma (ITU-R BT.601, with the first of the means and deviations)
    /// where it is 1.
    ///
    /// Fails with [`Error::Argument`] for other channel counts, and for a mean or std that is no use.
    pub fn normalise(&self, picture: &Picture, channels: usize) -> Result<Tensor> {
        picture.check()?;
        self.check()?;
        check_channels(channels)?;
        let place = self.in_order([0, 1, 2]);
        let (pixels, step) = match &picture.rgba {
            Some(rgba) if channels == 4 => (rgba, 4),
            _ => (&picture.rgb, 3),
        };
        let plane = |c: usize| {
            let (mean, std) = self.scale(c);
            let value = move |p: &[u8]| match (channels, place.get(c)) {
                (1, _) => luma([p[0], p[1], p[2]]),
                (_, Some(&at)) => p[at],
                (_, None) => p.get(3).copied().unwrap_or(u8::MAX),
            };
            pixels.chunks_exact(step).map(move |p| (f32::from(value(p)) - mean) / std)
        };
        Tensor::new([channels, picture.height, picture.width], (0..channels).flat_map(plane).collect())
    }

    /// The picture of an input `[C, H, W]` or `[1, C, H, W]`, for showing it: rounded, and cut off at 0 and 255. Of 3 or
    /// 4 channels the first three are its colours; of others the first is shown in grey.
    ///
    /// Fails with [`Error::Argument`] for other shapes, and with [`Error::NotFinite`].
    pub fn denormalise(&self, input: &Tensor) -> Result<Picture> {
        self.check()?;
        input.check_finite("the input")?;
        let (channels, height, width) = match *input.shape() {
            [c, h, w] | [1, c, h, w] if c > 0 => (c, h, w),
            _ => {
                return Err(Error::Argument(format!(
                    "an input of shape {:?} is no picture; [C, H, W] is",
                    input.shape()
                )));
            }
        };
        let area = height * width;
        let places = if matches!(channels, 3 | 4) { self.in_order([0, 1, 2]) } else { [0; 3] };
        let byte = |i: usize, c: usize| {
            let (mean, std) = self.scale(c);
            (input.data()[c * area + i] * std + mean).round().clamp(0.0, 255.0) as u8
        };
        Picture::new(width, height, (0..area).flat_map(|i| places.map(|c| byte(i, c))).collect())
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

/// A picture with `colour` around it.
fn surround(
    part: &Picture,
    [left, top]: [usize; 2],
    [width, height]: [usize; 2],
    colour: [u8; 3],
) -> Picture {
    let around = |pixels: &[u8], colour: &[u8]| {
        let step = colour.len();
        let mut whole = colour.repeat(width * height);
        for (y, row) in pixels.chunks_exact(step * part.width).enumerate() {
            let at = step * ((top + y) * width + left);
            whole[at..at + row.len()].copy_from_slice(row);
        }
        whole
    };
    let [r, g, b] = colour;
    let rgba = part.rgba.as_ref().map(|rgba| around(rgba, &[r, g, b, 255]));
    Picture { width, height, rgb: around(&part.rgb, &colour), rgba }
}

/// Fails with [`Error::Argument`] where no picture has as many channels as a network reads.
pub fn check_channels(channels: usize) -> Result<()> {
    if matches!(channels, 1 | 3 | 4) {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "the network reads {channels} channels, and a picture gives 1 (grey), 3 (colours) or 4 (colours and opacity); \
         give the command line its input as an array: pellucid explain INPUT.npy --model FILE"
    )))
}

#[cfg(test)]
#[path = "preprocess_tests.rs"]
mod tests;
