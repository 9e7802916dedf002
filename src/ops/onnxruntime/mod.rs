//! The operators of onnxruntime's own domain, `com.microsoft`, that can be read: quantized ones, and several of ONNX's in
//! one. Its optimizer and its quantizer write them.

mod fusions;
mod integers;
mod nbits;

use super::{
    activations,
    entry::{Entry, Read, entry},
    onnx::attributes::{Attribute, float, floats, int, ints, text},
    pointwise::quantize::{read_dequantize, read_quantize},
    quantized,
};

const fn own(operator: &'static str, read: Read, attributes: &'static [Attribute]) -> Entry {
    Entry { domain: "com.microsoft", ..entry(operator, read, attributes) }
}

/// Every operator of the domain that can be read.
pub const READERS: &[Entry] = &[
    own("BiasGelu", fusions::read_bias_gelu, &[]),
    own("DequantizeLinear", read_dequantize, &[int("axis"), int("block_size")]),
    own("DynamicQuantizeMatMul", integers::read_dynamic, &[]),
    own("FastGelu", fusions::read_fast_gelu, &[]),
    own(
        "FusedConv",
        fusions::read_conv,
        &[
            text("activation"),
            floats("activation_params"),
            text("auto_pad"),
            ints("dilations"),
            int("group"),
            ints("kernel_shape"),
            ints("pads"),
            ints("strides"),
        ],
    ),
    own(
        "FusedGemm",
        fusions::read_gemm,
        &[
            text("activation"),
            float("activation_alpha"),
            float("activation_beta"),
            float("activation_gamma"),
            float("alpha"),
            float("beta"),
            int("transA"),
            int("transB"),
        ],
    ),
    own(
        "FusedMatMul",
        fusions::read_matmul,
        &[float("alpha"), int("transA"), int("transB"), int("transBatchA"), int("transBatchB")],
    ),
    own("Gelu", activations::read_gelu, &[]),
    own("MatMulIntegerToFloat", integers::read_to_float, &[]),
    own(
        "MatMulNBits",
        nbits::read_matmul,
        &[int("K"), int("N"), int("accuracy_level"), int("bits"), int("block_size"), int("weight_prepacked")],
    ),
    own("QGemm", quantized::read_gemm, &[float("alpha"), int("transA"), int("transB")]),
    own("QLinearAdd", quantized::read_add, &[]).element_wise(),
    own(
        "QLinearAveragePool",
        quantized::read_average_pool,
        &[
            text("auto_pad"),
            int("ceil_mode"),
            int("channels_last"),
            int("count_include_pad"),
            ints("kernel_shape"),
            ints("pads"),
            ints("strides"),
        ],
    ),
    own("QLinearConcat", quantized::read_concat, &[int("axis")]),
    own("QLinearGlobalAveragePool", quantized::read_global_average_pool, &[int("channels_last")]),
    own("QLinearLeakyRelu", quantized::read_leaky_relu, &[float("alpha")]).element_wise(),
    own("QLinearMul", quantized::read_mul, &[]).element_wise(),
    own("QLinearSigmoid", quantized::read_sigmoid, &[]).element_wise(),
    own("QLinearSoftmax", quantized::read_softmax, &[int("axis"), int("opset")]),
    own("QuantizeLinear", read_quantize, &[int("axis"), int("block_size")]),
    own("QuickGelu", fusions::read_quick_gelu, &[float("alpha")]),
    own("SkipLayerNormalization", fusions::read_skip_layer_normalization, &[float("epsilon")]),
];
