//! Tells whether a JPEG file is whole. The decoder fills missing parts with grey without an error.

use super::Picture;
use crate::error::{Error, Result};

/// The end-of-image marker.
const END: [u8; 2] = [0xFF, 0xD9];
/// The bytes that are read where coded ones are missing: with each of these another picture.
const OTHERS: [u8; 2] = [0x55, 0xAA];
/// How many of them are enough to be read.
const ENOUGH: usize = 4096;

/// The coded bytes of one 8 x 8 block are at least one bit (the DC coefficient's code), so that a byte covers
/// at most 512 pixels; twice that leaves room for unusual subsampling.
const PIXELS_PER_BYTE: u64 = 1024;

/// The same file with an end-of-image marker, where it lacks only that; `None` where it has one. Whether all of the
/// picture is there is tried with `read`: a file that is cut within its coded bytes gives one picture when it ends
/// there, and another when other bytes follow.
///
/// Fails with [`Error::Image`] when more is missing.
pub(super) fn ended(bytes: &[u8], read: impl Fn(&[u8]) -> Result<Picture>) -> Result<Option<Vec<u8>>> {
    if coded_bytes(bytes).is_some() {
        return Ok(None);
    }
    // Half a marker is no byte of the picture: there a zero would follow.
    let start = bytes.strip_suffix(&[0xFF]).unwrap_or(bytes);
    let followed = |by: &[u8]| [start, by, &END].concat();
    let ended = followed(&[]);
    let whole = match read(&ended) {
        Err(error @ Error::Limit { .. }) => return Err(error),
        Err(_) => false,
        Ok(picture) => {
            OTHERS.iter().all(|&byte| read(&followed(&[byte; ENOUGH])).is_ok_and(|other| other == picture))
        }
    };
    if whole {
        return Ok(Some(ended));
    }
    Err(Error::Image(
        "the JPEG file is cut short (it has no end-of-image marker); fetch or save it again".into(),
    ))
}

/// Fails with [`Error::Image`] when the file ends before its end-of-image marker, or holds too few bytes for
/// the `width` x `height` pixels that it announces.
pub(super) fn check_jpeg(bytes: &[u8], width: u32, height: u32) -> Result<()> {
    let Some(coded) = coded_bytes(bytes) else {
        return Err(Error::Image(
            "the JPEG file is cut short (it has no end-of-image marker); fetch or save it again".into(),
        ));
    };
    if coded.saturating_mul(PIXELS_PER_BYTE) < u64::from(width) * u64::from(height) {
        return Err(Error::Image(format!(
            "the JPEG file is damaged (it announces {width} x {height} pixels and holds {coded} bytes of them); \
             fetch or save it again"
        )));
    }
    Ok(())
}

/// The entropy-coded bytes up to the end-of-image marker, `None` when there is no such marker. Walks the
/// segments (ITU-T T.81, annex B), since an EXIF thumbnail has an end-of-image marker of its own.
fn coded_bytes(bytes: &[u8]) -> Option<u64> {
    let mut at = 2;
    let mut coded = 0;
    loop {
        let (marker, next) = next_marker(bytes, at)?;
        coded += (next - 2).saturating_sub(at) as u64;
        at = next;
        match marker {
            0xD9 => return Some(coded),
            // Without a length: TEM, and start-of-image.
            0x01 | 0xD8 => {}
            _ => {
                let length = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
                at += usize::from(length);
            }
        }
    }
}

/// The marker at or after `at` and the place behind it, past stuffed zeros, fill bytes and restart markers.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == 0xFF)? + 1;
        match *bytes.get(at)? {
            0x00 | 0xD0..=0xD7 => at += 1,
            0xFF => {}
            marker => return Some((marker, at + 1)),
        }
    }
}
