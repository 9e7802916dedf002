//! The operators, one family per file: how an ONNX node becomes one, its shape, its value, its gradient rule, and how
//! each backend runs it, with its `.wgsl` beside it.
//!
//! A family is an operator with what its gradient needs (MaxPool, the winners of its windows and its gradient), or ONNX
//! operators that differ in one formula (Sigmoid, HardSwish, Elu). Families of several files have a folder: [`conv`],
//! [`pointwise`]. [`fused`] and [`materialize_masked`] exist in the GPU's graphs only.
//!
//! Below the operators, and importing none of them, stand what they share: [`onnx`] reads nodes and tensors, [`window`]
//! is the geometry of sliding windows, [`kernels`] are the GPU kernels of several operators.

pub mod add;
pub mod affine;
pub mod average_pool;
#[cfg(test)]
pub(crate) mod cases;
pub mod concat;
pub mod conv;
pub mod fused;
pub mod global_average_pool;
pub mod kernels;
pub mod log_softmax;
pub mod materialize_masked;
pub mod max_pool;
pub mod multiply;
pub mod onnx;
pub mod pointwise;
pub mod reshape;
pub mod smooth_activation;
pub mod softmax;
pub mod window;

use onnx::{
    Operand, Reader,
    attributes::{Attribute, float, floats, int, ints, tensor, text},
};

/// Reads one ONNX node; the text says what of it is not supported.
type Read = fn(&mut Reader<'_>) -> Result<Operand, String>;

/// How an ONNX operator of the default domain is read.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The operator.
    pub operator: &'static str,
    /// Reads a node of it.
    pub read: Read,
    /// The attributes that it has; others are refused.
    pub attributes: &'static [Attribute],
}

const fn entry(operator: &'static str, read: Read, attributes: &'static [Attribute]) -> Entry {
    Entry { operator, read, attributes }
}

/// In the first opsets operators said which inputs they overwrite; nothing follows from it.
const CONSUMED: Attribute = ints("consumed_inputs").until(5);

/// The attributes of broadcasting before opset 7.
const LEGACY: &[Attribute] = &[int("axis").until(6), int("broadcast").until(6), CONSUMED];

/// Every ONNX operator that can be read, of the default domain.
const READERS: &[Entry] = &[
    entry("Add", add::read, LEGACY),
    entry(
        "AveragePool",
        average_pool::read,
        &[
            text("auto_pad"),
            int("ceil_mode").since(10),
            int("count_include_pad").since(7),
            ints("dilations").since(19),
            ints("kernel_shape"),
            ints("pads"),
            ints("strides"),
        ],
    ),
    entry(
        "BatchNormalization",
        affine::read_batch_normalization,
        &[
            float("epsilon"),
            float("momentum"),
            int("is_test").until(6),
            int("spatial").until(8),
            int("training_mode").since(14),
            CONSUMED,
        ],
    ),
    entry("Clip", pointwise::clip::read_clip, &[float("min").until(10), float("max").until(10), CONSUMED]),
    entry("Concat", concat::read, &[int("axis")]),
    entry(
        "Constant",
        reshape::read_constant,
        &[
            tensor("value"),
            float("value_float").since(12),
            floats("value_floats").since(12),
            int("value_int").since(12),
            ints("value_ints").since(12),
        ],
    ),
    entry(
        "Conv",
        conv::read,
        &[
            text("auto_pad"),
            ints("dilations"),
            int("group"),
            ints("kernel_shape"),
            ints("pads"),
            ints("strides"),
        ],
    ),
    entry(
        "DequantizeLinear",
        pointwise::quantize::read_dequantize,
        &[int("axis").since(13), int("block_size").since(21), int("output_dtype").since(23)],
    ),
    entry(
        "Dropout",
        reshape::read_dropout,
        &[float("ratio").until(11), int("is_test").until(6), int("seed").since(12), CONSUMED],
    ),
    entry("Elu", smooth_activation::read_elu, &[float("alpha"), CONSUMED]),
    entry("Flatten", reshape::read_flatten, &[int("axis")]),
    entry(
        "Gemm",
        conv::dense::read_gemm,
        &[float("alpha"), float("beta"), int("broadcast").until(6), int("transA"), int("transB")],
    ),
    entry("GlobalAveragePool", global_average_pool::read, &[]),
    entry("HardSigmoid", smooth_activation::read_hard_sigmoid, &[float("alpha"), float("beta"), CONSUMED]),
    entry("HardSwish", smooth_activation::read_hard_swish, &[]),
    entry("Identity", reshape::read_identity, &[]),
    entry("LogSoftmax", log_softmax::read, &[int("axis")]),
    entry("MatMul", conv::dense::read_matmul, &[]),
    entry(
        "MaxPool",
        max_pool::read,
        &[
            text("auto_pad"),
            int("ceil_mode").since(10),
            ints("dilations").since(10),
            ints("kernel_shape"),
            ints("pads"),
            int("storage_order").since(8),
            ints("strides"),
        ],
    ),
    entry("Mul", multiply::read, LEGACY),
    entry(
        "QuantizeLinear",
        pointwise::quantize::read_quantize,
        &[
            int("axis").since(13),
            int("block_size").since(21),
            int("output_dtype").since(21),
            int("precision").since(23),
            int("saturate").since(19),
        ],
    ),
    entry(
        "ReduceMean",
        global_average_pool::read_reduce_mean,
        &[ints("axes").until(17), int("keepdims"), int("noop_with_empty_axes").since(18)],
    ),
    entry("Relu", pointwise::clip::read_relu, &[CONSUMED]),
    entry("Reshape", reshape::read_reshape, &[int("allowzero").since(14), ints("shape").until(4), CONSUMED]),
    entry("Sigmoid", smooth_activation::read_sigmoid, &[CONSUMED]),
    entry("Softmax", softmax::read, &[int("axis")]),
];

/// How an ONNX operator is read, if it is supported.
#[must_use]
pub fn reader_of(operator: &str) -> Option<&'static Entry> {
    READERS.iter().find(|entry| entry.operator == operator)
}

/// How each ONNX operator that is supported is read.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    READERS.iter()
}

/// The names of the ONNX operators that can be read.
pub fn supported() -> impl Iterator<Item = &'static str> {
    READERS.iter().map(|entry| entry.operator)
}

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
        smooth_activation::cases::ALL,
        global_average_pool::cases::ALL,
        log_softmax::cases::ALL,
        max_pool::cases::ALL,
        multiply::cases::ALL,
        pointwise::clip::cases::ALL,
        pointwise::quantize::cases::ALL,
        reshape::cases::ALL,
        softmax::cases::ALL,
    ];
    families.into_iter().flatten()
}
