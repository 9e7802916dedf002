//! The table of ONNX operators that can be read: who reads a node of each, the attributes that it has, and who computes it
//! where all of its inputs are constants.

use super::{
    activations, affine, arithmetic, average_pool, cast, concat, conv, dynamic_quantize, einsum,
    entry::{Entry, entry},
    fold::{self, Fold},
    log_softmax, matmul, max_pool, nd, normalise, norms,
    onnx::attributes::{Attribute, float, floats, int, ints, tensor, text},
    onnxruntime, pointwise, quantized, rearrange, reduce, reshape, resize, select, smooth_activation,
    softmax,
};

/// An operator that is supported of constants only.
const fn of_constants(operator: &'static str, fold: Fold, attributes: &'static [Attribute]) -> Entry {
    entry(operator, fold::constants_only, attributes).folds(fold)
}

/// In the first opsets operators said which inputs they overwrite; nothing follows from it.
const CONSUMED: Attribute = ints("consumed_inputs").until(5);

/// The attributes of broadcasting before opset 7.
const LEGACY: &[Attribute] = &[int("axis").until(6), int("broadcast").until(6), CONSUMED];

/// The same as [`LEGACY`], of operators that never overwrote their inputs.
const COMPARISON: &[Attribute] = &[int("axis").until(6), int("broadcast").until(6)];

/// A reduction's axes became an input in opset 18.
const REDUCTION: &[Attribute] =
    &[ints("axes").until(17), int("keepdims"), int("noop_with_empty_axes").since(18)];

/// A sum's axes became an input in opset 13.
const SUM: &[Attribute] = &[ints("axes").until(12), int("keepdims"), int("noop_with_empty_axes").since(13)];

const CONV: &[Attribute] =
    &[text("auto_pad"), ints("dilations"), int("group"), ints("kernel_shape"), ints("pads"), ints("strides")];

/// Every ONNX operator that can be read, of the default domain.
const READERS: &[Entry] = &[
    entry("Abs", smooth_activation::read_abs, &[CONSUMED]).element_wise().folds(fold::absolute),
    entry("Add", arithmetic::read_add, LEGACY).element_wise().folds(fold::add),
    of_constants("And", fold::and, COMPARISON),
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
    )
    .folds(fold::batch_normalization),
    entry("Cast", cast::read, &[int("to"), int("saturate").since(19), text("round_mode").since(24)])
        .element_wise()
        .folds(fold::cast),
    of_constants("Ceil", fold::ceil, &[CONSUMED]),
    entry("Celu", activations::read_celu, &[float("alpha")]).element_wise(),
    entry("Clip", pointwise::clip::read_clip, &[float("min").until(10), float("max").until(10), CONSUMED])
        .element_wise()
        .folds(fold::clip),
    entry("Col2Im", conv::transpose::read_col2im, &[ints("dilations"), ints("pads"), ints("strides")]),
    entry("Concat", concat::read, &[int("axis")]).folds(fold::concat),
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
    of_constants("ConstantOfShape", fold::constant_of_shape, &[tensor("value")]),
    entry("Conv", conv::read, CONV),
    entry("ConvInteger", quantized::read_conv_integer, CONV),
    entry(
        "ConvTranspose",
        conv::transpose::read,
        &[
            text("auto_pad"),
            ints("dilations"),
            int("group"),
            ints("kernel_shape"),
            ints("output_padding"),
            ints("output_shape"),
            ints("pads"),
            ints("strides"),
        ],
    ),
    entry("Cos", smooth_activation::read_cos, &[]).element_wise().folds(fold::cosine),
    entry("DepthToSpace", rearrange::read_depth_to_space, &[int("blocksize"), text("mode").since(11)]),
    of_constants("CumSum", fold::running_sum, &[int("exclusive"), int("reverse")]),
    entry(
        "DequantizeLinear",
        pointwise::quantize::read_dequantize,
        &[int("axis").since(13), int("block_size").since(21), int("output_dtype").since(23)],
    ),
    entry("Div", arithmetic::read_div, LEGACY).element_wise().folds(fold::divide),
    entry(
        "Dropout",
        reshape::read_dropout,
        &[float("ratio").until(11), int("is_test").until(6), int("seed").since(12), CONSUMED],
    ),
    entry("DynamicQuantizeLinear", dynamic_quantize::read, &[]),
    entry("Einsum", einsum::read, &[text("equation")]),
    entry("Elu", smooth_activation::read_elu, &[float("alpha"), CONSUMED]).element_wise(),
    of_constants("Equal", fold::equal, COMPARISON),
    entry("Erf", smooth_activation::read_erf, &[]).element_wise().folds(fold::erf),
    entry("Exp", smooth_activation::read_exp, &[CONSUMED]).element_wise().folds(fold::exp),
    entry("Expand", rearrange::read_expand, &[]),
    of_constants("EyeLike", fold::eye_like, &[int("dtype"), int("k")]),
    entry("Flatten", reshape::read_flatten, &[int("axis")]),
    of_constants("Floor", fold::floor, &[CONSUMED]),
    entry("Gather", rearrange::read_gather, &[int("axis")]),
    entry("GatherND", nd::read_gather_nd, &[int("batch_dims").since(12)]),
    entry("Gelu", activations::read_gelu, &[text("approximate")]).element_wise(),
    entry(
        "Gemm",
        matmul::read_gemm,
        &[float("alpha"), float("beta"), int("broadcast").until(6), int("transA"), int("transB")],
    ),
    entry("GlobalAveragePool", reduce::read_global_average_pool, &[]),
    entry("GlobalLpPool", norms::read_global_lp_pool, &[int("p").since(2)]),
    entry("GlobalMaxPool", reduce::read_global_max_pool, &[]),
    of_constants("Greater", fold::greater, COMPARISON),
    of_constants("GreaterOrEqual", fold::greater_or_equal, &[]),
    entry(
        "GroupNormalization",
        normalise::read_group_normalization,
        &[float("epsilon"), int("num_groups"), int("stash_type")],
    ),
    entry("HardSigmoid", smooth_activation::read_hard_sigmoid, &[float("alpha"), float("beta"), CONSUMED])
        .element_wise(),
    entry("HardSwish", smooth_activation::read_hard_swish, &[]).element_wise(),
    entry("Identity", reshape::read_identity, &[]),
    entry("ImageScaler", affine::read_image_scaler, &[floats("bias"), float("scale")]),
    entry("InstanceNormalization", normalise::read_instance_normalization, &[float("epsilon"), CONSUMED]),
    entry("LRN", normalise::read_lrn, &[float("alpha"), float("beta"), float("bias"), int("size")]),
    entry(
        "LayerNormalization",
        normalise::read_layer_normalization,
        &[int("axis"), float("epsilon"), int("stash_type")],
    ),
    entry("LeakyRelu", smooth_activation::read_leaky_relu, &[float("alpha"), CONSUMED]).element_wise(),
    of_constants("Less", fold::less, COMPARISON),
    of_constants("LessOrEqual", fold::less_or_equal, &[]),
    entry("Log", smooth_activation::read_log, &[CONSUMED]).element_wise().folds(fold::logarithm),
    entry("LogSoftmax", log_softmax::read, &[int("axis")]),
    entry("LpNormalization", normalise::read_lp_normalization, &[int("axis"), int("p")]),
    entry(
        "LpPool",
        norms::read_lp_pool,
        &[
            text("auto_pad"),
            int("ceil_mode").since(18),
            ints("dilations").since(18),
            ints("kernel_shape"),
            int("p").since(2),
            ints("pads"),
            ints("strides"),
        ],
    ),
    entry("MatMul", matmul::read_matmul, &[]),
    entry("MatMulInteger", quantized::read_matmul_integer, &[]),
    entry("Max", arithmetic::read_max, &[CONSUMED]).element_wise().folds(fold::maximum),
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
    entry("Mean", arithmetic::read_mean, &[CONSUMED]).element_wise(),
    entry("MeanVarianceNormalization", normalise::read_mean_variance_normalization, &[ints("axes")]),
    entry("Min", arithmetic::read_min, &[CONSUMED]).element_wise().folds(fold::minimum),
    entry("Mish", activations::read_mish, &[]).element_wise(),
    of_constants("Mod", fold::modulo, &[int("fmod")]),
    entry("Mul", arithmetic::read_mul, LEGACY).element_wise().folds(fold::multiply),
    entry("Neg", arithmetic::read_neg, &[CONSUMED]).element_wise().folds(fold::negate),
    of_constants("Not", fold::not, &[]),
    of_constants("Or", fold::or, COMPARISON),
    entry("PRelu", activations::read_p_relu, &[CONSUMED]).element_wise(),
    entry(
        "Pad",
        rearrange::read_pad,
        &[ints("paddings").until(1), ints("pads").until(10), text("mode"), float("value").until(10)],
    ),
    entry("Pow", arithmetic::read_pow, COMPARISON).element_wise().folds(fold::power),
    entry("QLinearConv", quantized::read_conv, CONV),
    entry("QLinearMatMul", quantized::read_matmul, &[]),
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
    of_constants("Range", fold::range, &[]),
    entry("Reciprocal", arithmetic::read_reciprocal, &[CONSUMED]).element_wise().folds(fold::reciprocal),
    entry("ReduceL1", norms::read_reduce_l1, REDUCTION),
    entry("ReduceL2", norms::read_reduce_l2, REDUCTION),
    entry("ReduceLogSum", norms::read_reduce_log_sum, REDUCTION),
    entry("ReduceLogSumExp", norms::read_reduce_log_sum_exp, REDUCTION),
    entry("ReduceMax", reduce::read_max, REDUCTION).folds(fold::reduce_max),
    entry("ReduceMean", reduce::read_mean, REDUCTION).folds(fold::reduce_mean),
    entry("ReduceMin", reduce::read_min, REDUCTION).folds(fold::reduce_min),
    of_constants("ReduceProd", fold::reduce_prod, REDUCTION),
    entry("ReduceSum", reduce::read_sum, SUM).folds(fold::reduce_sum),
    entry("ReduceSumSquare", norms::read_reduce_sum_square, REDUCTION),
    entry("Relu", pointwise::clip::read_relu, &[CONSUMED]).element_wise().folds(fold::rectified),
    entry("Reshape", reshape::read_reshape, &[int("allowzero").since(14), ints("shape").until(4), CONSUMED]),
    entry(
        "Resize",
        resize::read_resize,
        &[
            int("antialias").since(18),
            ints("axes").since(18),
            text("coordinate_transformation_mode").since(11),
            float("cubic_coeff_a").since(11),
            int("exclude_outside").since(11),
            float("extrapolation_value").since(11),
            text("keep_aspect_ratio_policy").since(18),
            text("mode"),
            text("nearest_mode").since(11),
        ],
    ),
    of_constants("Round", fold::round, &[]),
    entry("ScatterND", nd::read_scatter_nd, &[text("reduction").since(16)]).folds(fold::scatter_nd),
    entry("Selu", activations::read_selu, &[float("alpha"), float("gamma"), CONSUMED]).element_wise(),
    entry("Shape", fold::shape, &[int("start").since(15), int("end").since(15)]),
    entry("Shrink", smooth_activation::read_shrink, &[float("bias"), float("lambd")]).element_wise(),
    entry("Sigmoid", smooth_activation::read_sigmoid, &[CONSUMED]).element_wise().folds(fold::sigmoid),
    entry("Sin", smooth_activation::read_sin, &[]).element_wise().folds(fold::sine),
    entry("Size", fold::size_of, &[]),
    entry(
        "Slice",
        rearrange::read_slice,
        &[ints("axes").until(9), ints("ends").until(9), ints("starts").until(9)],
    ),
    entry("Softmax", softmax::read, &[int("axis")]),
    entry("Softplus", smooth_activation::read_softplus, &[]).element_wise(),
    entry("Softsign", smooth_activation::read_softsign, &[]).element_wise(),
    entry("SpaceToDepth", rearrange::read_space_to_depth, &[int("blocksize"), text("mode").since(28)]),
    entry(
        "Split",
        rearrange::read_split,
        &[int("axis"), int("num_outputs").since(18), ints("split").until(12)],
    ),
    entry("Sqrt", arithmetic::read_sqrt, &[CONSUMED]).element_wise().folds(fold::square_root),
    entry("Squeeze", reshape::read_squeeze, &[ints("axes").until(12)]),
    entry("Sub", arithmetic::read_sub, LEGACY).element_wise().folds(fold::subtract),
    entry("Sum", arithmetic::read_sum, &[CONSUMED]).element_wise(),
    entry("Swish", activations::read_swish, &[float("alpha")]).element_wise(),
    entry("Tanh", smooth_activation::read_tanh, &[CONSUMED]).element_wise().folds(fold::tanh),
    entry("ThresholdedRelu", smooth_activation::read_thresholded_relu, &[float("alpha")]).element_wise(),
    entry("Tile", rearrange::read_tile, &[]),
    entry("Transpose", rearrange::read_transpose, &[ints("perm")]),
    entry("Unsqueeze", reshape::read_unsqueeze, &[ints("axes").until(12)]),
    entry("Upsample", resize::read_upsample, &[text("mode"), floats("scales").until(8)]),
    entry("Where", select::read, &[]).folds(fold::select),
];

/// How an ONNX operator of a domain is read, if it is supported.
#[must_use]
pub fn reader_of(domain: &str, operator: &str) -> Option<&'static Entry> {
    let domain = if domain == "ai.onnx" { "" } else { domain };
    entries().find(|entry| (entry.domain, entry.operator) == (domain, operator))
}

/// How each ONNX operator that is supported is read.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    READERS.iter().chain(onnxruntime::READERS)
}

/// The names of the operators of a domain that can be read.
pub fn supported(domain: &str) -> impl Iterator<Item = &'static str> {
    entries().filter(move |entry| entry.domain == domain).map(|entry| entry.operator)
}
