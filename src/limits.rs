//! The bounds on what is accepted, checked before memory is taken.

use crate::error::{Error, Result};

/// Most pixels of an image: 64 megapixels.
pub const IMAGE_PIXELS: u64 = 64_000_000;
/// Longest side of an image, in pixels.
pub const IMAGE_SIDE: u64 = 16_384;
/// Largest encoded image, in bytes.
pub const IMAGE_BYTES: u64 = 256 << 20;
/// Largest model file, in bytes.
pub const MODEL_BYTES: u64 = 512 << 20;
/// Most nodes of a model's graph.
pub const MODEL_NODES: u64 = 4_096;
/// Highest rank of a tensor, batch included.
pub const RANK: u64 = 6;
/// Most values of one activation of one image.
pub const VALUE_ELEMENTS: u64 = 1 << 28;

/// Fails with [`Error::Limit`] when `got` is over `allowed`.
pub fn check(what: &'static str, got: u64, allowed: u64) -> Result<()> {
    if got > allowed { Err(Error::Limit { what, got, allowed }) } else { Ok(()) }
}
