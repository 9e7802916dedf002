//! Pictures: decode, orient, crop and resize, normalise.
//!
//! A [`Picture`] is 8-bit sRGB, row-major, three bytes per pixel. Colour profiles are ignored, as the training
//! pipelines of image classifiers do. [`Preprocessing`] turns a picture into what a network reads.

mod complete;
mod config;
mod decode;
mod geometry;
pub mod inpaint;
#[cfg(test)]
mod libraries_tests;
pub(crate) mod names;
mod outside;
mod preprocess;
mod preset;
mod resample;
#[cfg(test)]
pub(crate) mod test_files;
mod transparency;

pub use config::Config;
pub use geometry::{Centre, Resize, Side};
pub use preprocess::{Channels, Preprocessing, check_channels};
pub use preset::Preset;
pub use resample::Interpolation;

use crate::error::{Error, Result};

/// An 8-bit RGB picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue of each pixel, row by row: `3 * width * height` bytes.
    pub rgb: Vec<u8>,
    /// Red, green, blue and opacity of each pixel, of a file that has transparent ones.
    pub(crate) rgba: Option<Vec<u8>>,
}

impl Picture {
    /// Wraps `rgb`, row by row; fails with [`Error::Argument`] unless it holds `width * height` pixels, at
    /// least one.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        let picture = Self { width, height, rgb, rgba: None };
        picture.check()?;
        Ok(picture)
    }

    /// A picture of one colour.
    #[must_use]
    pub fn plain(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, rgb: colour.repeat(width * height), rgba: None }
    }

    /// Decodes a PNG, JPEG, WebP, GIF (its first frame) or BMP file, outside WebAssembly a TIFF too, told apart by
    /// content.
    ///
    /// EXIF orientation is applied, transparency is laid over white (networks of four channels read it), 16 bits become
    /// 8, grey becomes RGB.
    /// Fails with [`Error::Limit`] when the file or the picture it announces is larger than
    /// [`crate::limits`] allow (found from the header, before memory is taken), and with [`Error::Image`] when
    /// it is empty, no image, damaged or cut short.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::decode_noting(bytes, &mut vec![])
    }

    /// [`Picture::decode`], which adds what a reader should know of the file to `notes`: that it lacks its end marker.
    pub fn decode_noting(bytes: &[u8], notes: &mut Vec<String>) -> Result<Self> {
        decode::decode(bytes, notes)
    }

    /// Whether [`Picture::decode`] reads the format of a file, of which the first bytes are enough. What it reads may
    /// still be damaged.
    #[must_use]
    pub fn is_format_read(start: &[u8]) -> bool {
        decode::is_read(start)
    }

    /// Fails with [`Error::Limit`] when a picture of this size is larger than [`crate::limits`] allow.
    pub fn check_size(width: u32, height: u32) -> Result<()> {
        decode::check_size(width, height)
    }

    /// Resizes to `width` x `height` pixels, the same bytes as Pillow's `Image.resize`.
    ///
    /// Fails with [`Error::Argument`] when a side is zero.
    pub fn resize(&self, width: usize, height: usize, interpolation: Interpolation) -> Result<Self> {
        self.check()?;
        if width == 0 || height == 0 {
            return Err(Error::Argument(format!("a picture cannot be resized to {width} x {height} pixels")));
        }
        Ok(resample::resize_window(self, (width, 0..width), (height, 0..height), interpolation))
    }

    /// The colour at column `x` of row `y`.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let i = 3 * (y * self.width + x);
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }

    /// Fails with [`Error::Argument`] when the fields contradict each other, or there is no pixel.
    pub(crate) fn check(&self) -> Result<()> {
        let expected = self.width.checked_mul(self.height).and_then(|n| n.checked_mul(3));
        if self.rgb.is_empty() || expected != Some(self.rgb.len()) {
            return Err(Error::Argument(format!(
                "a picture of {} x {} pixels cannot have {} bytes",
                self.width,
                self.height,
                self.rgb.len()
            )));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Picture {
    /// The size only: a failed assertion should not print a million bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {}", self.width, self.height)?;
        if self.rgb.len() <= 48 {
            write!(f, ", {:?}", self.rgb)?;
        }
        f.write_str(")")
    }
}

/// The luma of a colour, ITU-R BT.601 in 16-bit fixed point: the same bytes as Pillow's `convert("L")`.
pub(crate) fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b);
    ((sum + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_must_match_bytes() {
        assert!(Picture::new(2, 1, vec![0; 6]).is_ok());
        for (width, height, bytes) in [(2, 2, 6), (0, 0, 0), (0, 3, 0), (usize::MAX, 2, 6)] {
            assert_eq!(Picture::new(width, height, vec![0; bytes]).unwrap_err().code(), "argument");
        }
    }

    #[test]
    fn luma_is_pillows() {
        // Image.new("RGB", (1, 1), c).convert("L"), Pillow 13.0.0.
        let cases = [([255, 255, 255], 255), ([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29)];
        for (colour, grey) in cases {
            assert_eq!(luma(colour), grey);
        }
    }
}
