//! The bounds on what is accepted, checked before memory is taken.

use crate::error::{Error, Result};

/// Most pixels of an image: 64 megapixels.
pub const IMAGE_PIXELS: u64 = 64_000_000;
/// Longest side of an image, in pixels.
pub const IMAGE_SIDE: u64 = 16_384;
/// Largest encoded image, in bytes.
pub const IMAGE_BYTES: u64 = 256 << 20;
/// Largest model file, in bytes.
pub const MODEL_BYTES: u64 = 2 << 30;
/// Largest model file that the page opens, in bytes. Memory of WebAssembly ends at 4 GiB, and holds the file, the weights
/// and what the CPU makes of them for a forward pass and a gradient. `cargo xtask bench "a model of"` opens such files.
pub const PAGE_MODEL_BYTES: u64 = 384 << 20;
/// Most bytes, over a model file's size, of the structures that its lists of nodes, attributes and tensors become.
pub const LISTS_BYTES: u64 = 64 << 20;
/// Most nodes of a model's graph, as the file has them.
pub const MODEL_NODES: u64 = 65_536;
/// Highest rank of a tensor, batch included.
pub const RANK: u64 = 8;
/// Most values of one activation of one image: 1 GiB of floats, and in a page, whose memory ends at 4 GiB, 128 MiB.
pub const VALUE_ELEMENTS: u64 = if cfg!(target_pointer_width = "32") { 1 << 25 } else { 1 << 28 };
/// Most values of all activations of one image together: gradients keep at least a byte of each.
pub const NETWORK_ELEMENTS: u64 = 1 << 33;
/// Most products and sums that one image may take: 35 times those of VGG16, 15.5e9.
pub const WORK: u64 = 1 << 39;
/// Most products and sums of all constants of a model together that are computed when it is read.
pub const CONSTANT_WORK: u64 = 1 << 28;
/// Most products and sums of one pool: what costs more than that does more than a pool is worth.
pub const POOL_WORK: u64 = 1 << 32;
/// Most values that the constants of one model may be repeated to or computed as, beside twice as many as the file holds.
pub const REPEATED: u64 = 1 << 23;
/// Most values of all constants together that a file only says the shape of, as files without their weights do: 1 GiB of
/// floats, and 256 MiB in a page, where AlexNet's 61 million still fit.
pub const FILLED: u64 = if cfg!(target_pointer_width = "32") { 1 << 26 } else { 1 << 28 };
/// Longest axis along which elements change places or are summed: its places are listed.
pub const AXIS: u64 = 1 << 22;
/// Largest integer that a node's attribute or a tensor's extent may be. Two of them have a sum that fits 32 bits.
pub const INTEGER: u64 = 1 << 30;
/// Largest kernel, stride, dilation and padding: two of them have a product that fits 32 bits.
pub const WINDOW: u64 = 4_096;
/// Most phases that the strides of one window may have, the rows' times the columns': a gradient takes a GPU kernel for
/// each of them.
pub const PHASES: u64 = 4_096;
/// How deep functions of a file may call each other.
pub const CALLS: u64 = 32;
/// Most classes.
pub const CLASSES: u64 = 65_536;

/// Fails with [`Error::Limit`] when `got` is over `allowed`.
pub fn check(what: &'static str, got: u64, allowed: u64) -> Result<()> {
    if got > allowed { Err(Error::Limit { what, got, allowed, advice: "use a smaller one" }) } else { Ok(()) }
}

/// Fails with [`Error::Limit`] when a model of `bytes` is too large for a page.
pub fn check_page_model(bytes: u64) -> Result<()> {
    const MIB: u64 = 1 << 20;
    if bytes <= PAGE_MODEL_BYTES {
        return Ok(());
    }
    Err(Error::Limit {
        what: "the model's size in MiB",
        got: bytes.div_ceil(MIB),
        allowed: PAGE_MODEL_BYTES / MIB,
        advice: "store its weights in 8 bits (quantize_dynamic of onnxruntime), or use the command line program",
    })
}

/// The product of extents; [`u64::MAX`] where it is larger.
#[must_use]
pub fn product(extents: &[usize]) -> u64 {
    extents.iter().fold(1, |product: u64, &extent| product.saturating_mul(extent as u64))
}
