//! The operators, one family per file: how an ONNX node becomes one, its shape, its value, its gradient rule, and how
//! each backend runs it, with its `.wgsl` beside it.
//!
//! A family is an operator with what its gradient needs (MaxPool, the winners of its windows and its gradient), or ONNX
//! operators that differ in one formula (Sigmoid, HardSwish, Elu). Families of several files have a folder: [`conv`],
//! [`pointwise`]. [`fused`] and [`materialize_masked`] exist in the GPU's graphs only.
//!
//! Below the operators, and importing none of them, stand what they share: [`onnx`] reads nodes and tensors, [`window`]
//! is the geometry of sliding windows, [`kernels`] are the GPU kernels of several operators.

pub mod activations;
pub mod add;
pub mod affine;
pub mod arithmetic;
pub mod average_pool;
mod blocks;
mod broadcast;
#[cfg(test)]
pub(crate) mod cases;
pub mod cast;
pub mod concat;
pub mod conv;
pub mod dynamic_quantize;
mod einsum;
mod elementary;
mod entry;
mod flat_axis;
pub mod fold;
pub mod fused;
pub mod global_average_pool;
pub mod kernels;
mod linear_along;
pub mod log_softmax;
pub mod materialize_masked;
mod matmul;
pub mod matrix_product;
pub mod max_pool;
mod merged;
pub mod multiply;
mod nd;
pub mod normalise;
pub mod norms;
pub mod of_constants;
mod one_axis;
pub mod onnx;
pub mod onnxruntime;
pub mod pointwise;
pub mod quantized;
mod readers;
pub mod rearrange;
pub mod reduce;
pub mod reshape;
pub mod resize;
pub mod select;
pub mod smooth_activation;
pub mod softmax;
pub mod standardise;
pub mod unbatched;
pub mod window;

pub use entry::Entry;
pub use readers::{entries, reader_of, supported};

/// The test cases of every operator that can be read; operators of the backward pass come out of the gradient rules.
#[cfg(test)]
pub(crate) fn cases() -> impl Iterator<Item = &'static cases::Case> {
    let families = [
        add::cases::ALL,
        affine::cases::ALL,
        average_pool::cases::ALL,
        concat::cases::ALL,
        conv::cases::ALL,
        conv::dense::cases::ALL,
        conv::transpose::cases::ALL,
        dynamic_quantize::cases::ALL,
        smooth_activation::cases::ALL,
        global_average_pool::cases::ALL,
        log_softmax::cases::ALL,
        matrix_product::cases::ALL,
        max_pool::cases::ALL,
        multiply::cases::ALL,
        pointwise::clip::cases::ALL,
        pointwise::quantize::cases::ALL,
        rearrange::cases::ALL,
        reshape::cases::ALL,
        softmax::cases::ALL,
        standardise::cases::ALL,
    ];
    families.into_iter().flatten()
}
