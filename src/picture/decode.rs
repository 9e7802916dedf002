//! From the bytes of a file to a picture.

use std::{borrow::Cow, io::Cursor};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Picture, complete};
use crate::error::{Error, Result};
use crate::limits::{self, IMAGE_BYTES, IMAGE_PIXELS, IMAGE_SIDE};

/// Bytes that a decoder may allocate: the largest picture allowed at 16-bit RGBA, and as much again for its rows,
/// tables and metadata as an ordinary file could need.
const DECODER_BYTES: u64 = IMAGE_PIXELS * 8 + (64 << 20);

/// The formats that are read, for who chose another one.
#[cfg(not(target_arch = "wasm32"))]
const WANTED: &str = "choose a PNG, JPEG, WebP, GIF, BMP or TIFF file";
#[cfg(target_arch = "wasm32")]
const WANTED: &str = "choose a PNG, JPEG, WebP, GIF or BMP file";

/// See [`Picture::decode_noting`].
pub(super) fn decode(bytes: &[u8], notes: &mut Vec<String>) -> Result<Picture> {
    limits::check("the image file's size in bytes", bytes.len() as u64, IMAGE_BYTES)?;
    let format = format_of(bytes)?;
    if let Some((width, height)) = announced(bytes, format) {
        check_size(width, height)?;
    }
    let mut bytes = Cow::Borrowed(bytes);
    if format == ImageFormat::Jpeg
        && let Some(ended) = complete::ended(&bytes, |bytes| read(bytes, format))?
    {
        notes.push("The JPEG file lacks its end marker; its picture is whole.".into());
        bytes = Cow::Owned(ended);
    }
    read(&bytes, format)
}

/// Whether files that start like this are of a format that is read.
pub(super) fn is_read(start: &[u8]) -> bool {
    format_of(start).is_ok()
}

/// Decodes a file of a known format.
fn read(bytes: &[u8], format: ImageFormat) -> Result<Picture> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut allowed = Limits::default();
    allowed.max_alloc = Some(DECODER_BYTES);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(|e| damaged(format, &e))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if format == ImageFormat::Jpeg {
        complete::check_jpeg(bytes, width, height)?;
    }
    // Unreadable EXIF data is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|e| damaged(format, &e))?;
    picture_of(image, orientation)
}

/// The format by content; the errors name what was found.
fn format_of(bytes: &[u8]) -> Result<ImageFormat> {
    if bytes.is_empty() {
        return Err(Error::Image(format!("the image file is empty; {WANTED}")));
    }
    let Ok(format) = image::guess_format(bytes) else {
        return Err(Error::Image(format!("the file is not an image that can be read; {WANTED}")));
    };
    if format.reading_enabled() {
        Ok(format)
    } else {
        Err(Error::Image(format!("{} images cannot be read; {WANTED}", name(format))))
    }
}

/// The size in the header of formats whose decoders, where an address has 32 bits, refuse what is far too large
/// before they would tell its size.
fn announced(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok();
    match format {
        ImageFormat::Png if bytes.get(12..16)? == b"IHDR" => {
            Some((u32::from_be_bytes(word(16)?), u32::from_be_bytes(word(20)?)))
        }
        // A negative height means that rows run downwards. Headers of 12 bytes cannot announce too much.
        ImageFormat::Bmp if u32::from_le_bytes(word(14)?) >= 40 => {
            let side = |at| Some(i32::from_le_bytes(word(at)?).unsigned_abs());
            Some((side(18)?, side(22)?))
        }
        _ => None,
    }
}

/// Fails when a picture of this size is too large, or has no pixels.
pub(super) fn check_size(width: u32, height: u32) -> Result<()> {
    let (width, height) = (u64::from(width), u64::from(height));
    if width == 0 || height == 0 {
        return Err(Error::Image("the image has no pixels; choose another one".into()));
    }
    limits::check("the image's longer side in pixels", width.max(height), IMAGE_SIDE)?;
    limits::check("the image's number of pixels", width * height, IMAGE_PIXELS)
}

/// The upright picture of an image, transparency over white. Works in place: a large picture is not held twice unless
/// parts of it are transparent.
fn picture_of(mut image: DynamicImage, orientation: Orientation) -> Result<Picture> {
    if !image.color().has_alpha() {
        image = DynamicImage::ImageRgb8(image.into_rgb8());
        image.apply_orientation(orientation);
        return Picture::new(image.width() as usize, image.height() as usize, image.into_rgb8().into_raw());
    }
    image = DynamicImage::ImageRgba8(image.into_rgba8());
    image.apply_orientation(orientation);
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut data = image.into_rgba8().into_raw();
    let rgba = data.chunks_exact(4).any(|pixel| pixel[3] < 255).then(|| data.clone());
    for i in 0..data.len() / 4 {
        let alpha = u32::from(data[4 * i + 3]);
        for c in 0..3 {
            let colour = u32::from(data[4 * i + c]);
            data[3 * i + c] = ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
    }
    data.truncate(3 * (data.len() / 4));
    Ok(Picture { rgba, ..Picture::new(width, height, data)? })
}

/// An error of the decoder, in words for who chose the file.
fn damaged(format: ImageFormat, error: &ImageError) -> Error {
    let name = name(format);
    Error::Image(match error {
        ImageError::Unsupported(_) => {
            format!("this {name} file uses something that cannot be read ({error}); save it as a plain PNG")
        }
        ImageError::Limits(_) => format!("this {name} file needs too much memory ({error}); save it smaller"),
        _ => format!("the {name} file is damaged or cut short ({error}); fetch or save it again"),
    })
}

fn name(format: ImageFormat) -> String {
    match format {
        ImageFormat::Jpeg => "JPEG".into(),
        other => format!("{other:?}").to_uppercase(),
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
