//! Pictures and files for the tests of this crate.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

use super::Picture;

/// A picture of noise, the same everywhere: the high bytes of a linear congruential generator.
pub(crate) fn noise(width: usize, height: usize) -> Picture {
    let mut state: u32 = 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    Picture { width, height, rgb: (0..3 * width * height).map(|_| next()).collect(), rgba: None }
}

/// The FNV-1a hash of some bytes, to compare large results exactly.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

/// The file of any image.
pub(crate) fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// The file of a picture.
pub(crate) fn file(picture: &Picture, format: ImageFormat) -> Vec<u8> {
    let (width, height) = (picture.width as u32, picture.height as u32);
    encode(RgbImage::from_raw(width, height, picture.rgb.clone()).unwrap(), format)
}

/// `jpeg` with an EXIF segment that says `orientation`, big-endian, straight after the start-of-image marker.
pub(crate) fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut tiff = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, tiff.len() as u8 + 2];
    out.extend(tiff);
    out.extend(&jpeg[2..]);
    out
}
