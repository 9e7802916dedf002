//! GPU kernels of several operators, and what all kernels share. No operator is imported here.

mod along_axis;
mod axis;
mod convolve;
pub mod depthwise;
mod elementwise;
mod epilogue;
mod pool;
mod tiling;

pub use along_axis::{ALONG_AXIS, AlongAxis};
pub use axis::{GRID, GatherAxis, GridParams, pairs};
pub use convolve::{Convolution, MOST_STEPS, convolve};
pub use depthwise::{DEPTHWISE, Depthwise};
pub use elementwise::{ELEMENTWISE, Scaling, elementwise};
pub use epilogue::{EPILOGUE, EpilogueParams, targets};
pub use pool::{POOL, POOL_GRADIENT, PoolGradient, PoolKind, pool, pool_gradient};

/// The snippet by which kernels read one picture under many masks.
pub const MASKED_INPUT: (&str, &str) = ("masked_input", include_str!("masked_input.wgsl"));

/// The snippet with the entry point of kernels that run one thread per vec4.
pub const THREAD: (&str, &str) = ("thread", include_str!("thread.wgsl"));

/// Threads of a workgroup in kernels where each thread makes one vec4.
pub const LANES: usize = 64;

/// Smallest batch for which wide tiles repay their compile time, several times that of narrow ones.
pub const MANY: usize = 8;

/// A number of operations from its factors, which may well be more than 32 bits hold.
#[must_use]
pub fn flops(factors: &[usize]) -> u64 {
    crate::limits::product(factors)
}

/// Workgroups for `threads` threads of [`LANES`] per group, wrapped into two axes where they are many.
#[must_use]
pub fn linear(threads: usize) -> [usize; 3] {
    let groups = threads.div_ceil(LANES);
    let rows = groups.div_ceil(32_768).max(1);
    [groups.div_ceil(rows), rows, 1]
}
