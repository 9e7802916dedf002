//! The operators, one family per file: how an ONNX node becomes one, its shape, its value, its gradient rule, and how
//! each backend runs it, with its `.wgsl` beside it.
//!
//! A family is an operator with what its gradient needs (MaxPool, the winners of its windows and its gradient), or ONNX
//! operators that differ in one formula (Sigmoid, HardSwish, Elu). Beside them stand what they share: [`window`] is the
//! geometry of windows, [`reader`] and [`proto`] read ONNX nodes and tensors, [`kernels`] are GPU kernels of several
//! operators, [`integer_conv`] is a loop of the CPU's. [`fused`] and [`unmask`] exist in the GPU's graphs only.

pub mod add;
pub mod affine;
pub mod average_pool;
pub mod concat;
pub mod conv;
pub mod conv_transpose;
pub mod curve;
pub mod dense;
pub mod fused;
pub mod global_average_pool;
pub mod integer_conv;
pub mod kernels;
pub mod max_pool;
pub mod multiply;
pub mod pointwise;
pub mod proto;
pub mod reader;
pub mod reshape;
pub mod softmax;
pub mod unmask;
pub mod window;

pub use pointwise::gate;
use reader::{Operand, Reader};

/// Reads one ONNX node; the text says what of it is not supported.
type Read = fn(&mut Reader<'_>) -> Result<Operand, String>;

/// Every ONNX operator that can be read, of the default domain.
const READERS: &[(&str, Read)] = &[
    ("Add", add::read),
    ("AveragePool", average_pool::read),
    ("BatchNormalization", affine::read_batch_normalization),
    ("Clip", pointwise::clip::read_clip),
    ("Concat", concat::read),
    ("Constant", reshape::read_constant),
    ("Conv", conv::read),
    ("DequantizeLinear", pointwise::quantize::read_dequantize),
    ("Dropout", reshape::read_identity),
    ("Elu", curve::read_elu),
    ("Flatten", reshape::read_flatten),
    ("Gemm", dense::read_gemm),
    ("GlobalAveragePool", global_average_pool::read),
    ("HardSigmoid", curve::read_hard_sigmoid),
    ("HardSwish", curve::read_hard_swish),
    ("Identity", reshape::read_identity),
    ("MatMul", dense::read_matmul),
    ("MaxPool", max_pool::read),
    ("Mul", multiply::read),
    ("QuantizeLinear", pointwise::quantize::read_quantize),
    ("ReduceMean", global_average_pool::read_reduce_mean),
    ("Relu", pointwise::clip::read_relu),
    ("Reshape", reshape::read_reshape),
    ("Sigmoid", curve::read_sigmoid),
    ("Softmax", softmax::read),
];

/// The reader of an ONNX operator, if it is supported.
#[must_use]
pub fn reader_of(operator: &str) -> Option<Read> {
    READERS.iter().find(|(name, _)| *name == operator).map(|(_, read)| *read)
}

/// The names of the ONNX operators that can be read.
pub fn supported() -> impl Iterator<Item = &'static str> {
    READERS.iter().map(|(name, _)| *name)
}
