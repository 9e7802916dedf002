"""Writes OUT/: onnxruntime's answers to operators that ONNX's own node tests do not cover: those of com.microsoft, which
onnxruntime's optimizer and quantizer write, weights in blocks, convolutions over three axes and within windows, Einsum, and others that the cases use otherwise. One small network
per case, which computes y from an image x; NAME.onnx, and x and y in cases.json, with onnxruntime's optimisations off.

usage: make_operators.py OUT_FOLDER
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(11)
MICROSOFT = "com.microsoft"


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)



def single(value, kind=np.float32):
    return np.array(value, dtype=kind)


def node(operator, inputs, output="y", domain=MICROSOFT, **attributes):
    return helper.make_node(operator, inputs, [output], name=f"{output}_node", domain=domain, **attributes)


def onnx_node(*arguments, **attributes):
    return node(*arguments, domain="", **attributes)


def fused_conv(activation, parameters=None, sum_with=False):
    """A convolution that keeps the shape, so that its input can be added."""
    attributes = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1, activation=activation)
    if parameters is not None:
        attributes["activation_params"] = parameters
    inputs = ["x", "w", "b"] + (["x"] if sum_with else [])
    return (3, 5, 6), [node("FusedConv", inputs, **attributes)], dict(w=floats(3, 3, 3, 3), b=floats(3))


def fused_gemm(activation, **attributes):
    constants = dict(w=floats(4, 6), b=floats(4))
    return (6,), [node("FusedGemm", ["x", "w", "b"], activation=activation, transB=1, alpha=0.5, beta=2.0, **attributes)], constants


def softmax(axis, opset, shape, scale=1 / 256):
    """The image in bytes, QLinearSoftmax, and reals again."""
    nodes = [onnx_node("QuantizeLinear", ["x", "xs", "xz"], "q"),
             node("QLinearSoftmax", ["q", "xs", "xz", "ys", "yz"], "p", axis=axis, opset=opset),
             onnx_node("DequantizeLinear", ["p", "ys", "yz"], "y")]
    scales = dict(xs=single(0.03), xz=single(120, np.uint8), ys=single(scale), yz=single(0, np.uint8))
    return shape, nodes, scales


def quantized_weights(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def dynamic(bias=True):
    constants = dict(w=quantized_weights(6, 4), ws=np.abs(floats(4)) / 100, wz=quantized_weights(4))
    if bias:
        constants["b"] = floats(4)
    return (5, 6), [node("DynamicQuantizeMatMul", ["x", "w", "ws", "wz"] + ["b"] * bias)], constants


def to_float(bias=True):
    """The image in bytes, and its product with weights in reals."""
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"], name="q_node"),
             node("MatMulIntegerToFloat", ["q", "w", "s", "ws", "z", "wz"] + ["b"] * bias)]
    constants = dict(w=quantized_weights(6, 4), ws=np.abs(floats(4)) / 100, wz=quantized_weights(4))
    if bias:
        constants["b"] = floats(4)
    return (5, 6), nodes, constants


def few_bits(bits, zero=False, bias=False, rows=21, columns=3, size=16):
    """A product with weights in blocks, the last of which is not full."""
    blocks = -(-rows // size)
    constants = dict(w=quantized_weights(columns, blocks, size * bits // 8), s=np.abs(floats(columns * blocks)) / 10)
    inputs = ["x", "w", "s", "z" if zero else "", "", "b" if bias else ""]
    if zero:
        constants["z"] = quantized_weights(columns * -(-blocks * bits // 8))
    if bias:
        constants["b"] = floats(columns)
    while not inputs[-1]:
        inputs.pop()
    return (2, rows), [node("MatMulNBits", inputs, K=rows, N=columns, bits=bits, block_size=size)], constants


def skip_normalised(more=(), residual=False):
    """Of the image and its ReLU; with the sum, which a residual network goes on with."""
    inputs = ["x", "r", "g", "b", *more]
    made = node("SkipLayerNormalization", inputs, "n" if residual else "y", epsilon=1e-3)
    nodes = [onnx_node("Relu", ["x"], "r"), made]
    if residual:
        made.output.extend(["", "", "s"])
        nodes.append(onnx_node("Add", ["n", "s"]))
    return (5, 6), nodes, dict(g=floats(6), b=floats(6), **{name: floats(6) for name in more})


def blocks(kind, axis, zero):
    """Weights of 4 or 8 bits in blocks, and a product with them."""
    shape, scaled = ((8, 5), (2, 5)) if axis == 0 else ((5, 8), (5, 2))
    made = onnx_node("DequantizeLinear", ["q", "s"] + ["z"] * zero, "w", axis=axis, block_size=4)
    low, high = (-8, 8) if kind == TensorProto.INT4 else (0, 16)
    packed = lambda name, size: helper.make_tensor(name, kind, size, RNG.integers(low, high, size).ravel().tolist())
    constants = dict(q=packed("q", shape), s=np.abs(floats(*scaled)))
    if zero:
        constants["z"] = packed("z", scaled)
    return (3, shape[0]), [made, onnx_node("MatMul", ["x", "w"])], constants


CASES = {
    "fused_conv_relu": lambda: fused_conv("Relu"),
    "fused_conv_sum_relu": lambda: fused_conv("Relu", sum_with=True),
    "fused_conv_tanh": lambda: fused_conv("Tanh"),
    "fused_conv_sigmoid": lambda: fused_conv("Sigmoid"),
    "fused_conv_leaky_relu": lambda: fused_conv("LeakyRelu", [0.2]),
    "fused_conv_clip": lambda: fused_conv("Clip", [-0.5, 1.5]),
    "fused_conv_hard_sigmoid": lambda: fused_conv("HardSigmoid", [0.3, 0.4]),
    "fused_gemm_relu": lambda: fused_gemm("Relu"),
    "fused_gemm_leaky_relu": lambda: fused_gemm("LeakyRelu", activation_alpha=0.2),
    "fused_gemm_elu": lambda: fused_gemm("Elu", activation_alpha=0.7),
    "fused_gemm_sigmoid": lambda: fused_gemm("Sigmoid"),
    "fused_gemm_tanh": lambda: fused_gemm("Tanh"),
    "fused_gemm_softplus": lambda: fused_gemm("Softplus"),
    "fused_gemm_softsign": lambda: fused_gemm("Softsign"),
    "fused_gemm_hard_sigmoid": lambda: fused_gemm("HardSigmoid", activation_alpha=0.3, activation_beta=0.4),
    "fused_matmul_weights": lambda: ((5, 6), [node("FusedMatMul", ["x", "w"], alpha=0.25, transB=1)], dict(w=floats(4, 6))),
    "fused_matmul_first_exchanged": lambda: ((5, 6), [node("FusedMatMul", ["x", "w"], transA=1)], dict(w=floats(5, 4))),
    "fused_matmul_values": lambda: ((2, 5, 6), [node("FusedMatMul", ["x", "x"], alpha=0.5, transB=1)], {}),
    "bias_gelu": lambda: ((5, 6), [node("BiasGelu", ["x", "b"])], dict(b=floats(6))),
    "fast_gelu": lambda: ((5, 6), [node("FastGelu", ["x"])], {}),
    "fast_gelu_bias": lambda: ((5, 6), [node("FastGelu", ["x", "b"])], dict(b=floats(6))),
    "gelu": lambda: ((5, 6), [node("Gelu", ["x"])], {}),
    "quick_gelu": lambda: ((5, 6), [node("QuickGelu", ["x"], alpha=1.702)], {}),
    "quick_gelu_alpha": lambda: ((5, 6), [node("QuickGelu", ["x"], alpha=0.8)], {}),
    "qlinear_softmax": lambda: softmax(-1, 13, (10,)),
    "qlinear_softmax_rows": lambda: softmax(2, 13, (3, 7)),
    "qlinear_softmax_old": lambda: softmax(1, 12, (3, 7)),
    "einsum_values": lambda: ((2, 5, 6), [onnx_node("Einsum", ["x", "x"], equation="bhqd,bhkd->bhqk")], {}),
    "einsum_values_exchanged": lambda: ((2, 5, 6), [onnx_node("Einsum", ["x", "x"], equation="bhqd, bhkd -> bkhq")], {}),
    "einsum_weights": lambda: ((5, 6), [onnx_node("Einsum", ["x", "w"], equation="abc,cde->abde")], dict(w=floats(6, 2, 3))),
    "einsum_weights_first": lambda: ((5, 2, 3), [onnx_node("Einsum", ["w", "x"], equation="hdc,bshd->bcs")], dict(w=floats(2, 3, 4))),
    "einsum_weights_stacked": lambda: ((3, 5, 4), [onnx_node("Einsum", ["x", "w"], equation="bhqd,hkd->bqhk")], dict(w=floats(3, 2, 4))),
    "einsum_ellipsis": lambda: ((2, 5, 6), [onnx_node("Einsum", ["x", "w"], equation="...x,xy->...y")], dict(w=floats(6, 4))),
    "einsum_sum": lambda: ((2, 5, 6), [onnx_node("Einsum", ["x"], equation="bchw->bwc")], {}),
    "einsum_transpose": lambda: ((2, 5, 6), [onnx_node("Einsum", ["x"], equation="bchw->bhwc")], {}),
    "conv_flat_last": lambda: three_axes((2, 5, 6, 4), [3, 3, 1], pads=[1, 1, 0, 1, 1, 0]),
    "conv_flat_middle": lambda: three_axes((4, 6, 3, 7), [3, 1, 2], group=2, strides=[2, 1, 1]),
    "conv_flat_first": lambda: three_axes((2, 1, 6, 7), [1, 3, 3], dilations=[1, 2, 1]),
    "qlinear_softmax_calibrated": lambda: softmax(-1, 13, (10,), scale=0.0029),
    "dynamic_quantize_matmul": dynamic,
    "dynamic_quantize_matmul_plain": lambda: dynamic(bias=False),
    "matmul_integer_to_float": to_float,
    "matmul_integer_to_float_plain": lambda: to_float(bias=False),
    "matmul_4_bits": lambda: few_bits(4),
    "matmul_4_bits_zero_bias": lambda: few_bits(4, zero=True, bias=True),
    "matmul_8_bits": lambda: few_bits(8, zero=True),
    "skip_layer_normalization": skip_normalised,
    "skip_layer_normalization_bias": lambda: skip_normalised(["more"]),
    "skip_layer_normalization_sum": lambda: skip_normalised(residual=True),
    "dequantize_4_bits_in_rows": lambda: blocks(TensorProto.INT4, 0, zero=False),
    "dequantize_4_bits_in_columns": lambda: blocks(TensorProto.UINT4, 1, zero=True),
    "image_scaler": lambda: ((3, 4, 5), [onnx_node("ImageScaler", ["x"], scale=0.25, bias=[0.5, -1.0, 2.0])], {}),
    "matmul_stack_left": lambda: ((3, 5, 4), [onnx_node("MatMul", ["w", "x"])], dict(w=floats(1, 3, 2, 5))),
    "matmul_stack_right": lambda: ((3, 5, 4), [onnx_node("MatMul", ["x", "w"])], dict(w=floats(3, 4, 6))),
    "matmul_stack_of_ones": lambda: ((3, 1, 5, 4), [onnx_node("MatMul", ["w", "x"])], dict(w=floats(2, 6, 5))),
    "matmul_stack_of_one_value": lambda: ((1, 5, 4), [onnx_node("MatMul", ["w", "x"])], dict(w=floats(1, 3, 2, 5))),
    "conv_in_windows": lambda: in_windows("Conv", ["v", "w", "b"], pads=[1, 2, 0, 1], kernel_shape=[3, 2], strides=[2, 1]),
    "conv_in_windows_of_groups": lambda: in_windows("Conv", ["v", "g"], kernel_shape=[2, 2], strides=[3, 2], dilations=[1, 2], group=2),
    "max_pool_in_windows": lambda: in_windows("MaxPool", ["v"], kernel_shape=[2, 2], strides=[2, 2]),
    "average_pool_in_windows": lambda: in_windows("AveragePool", ["v"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "max_pool_of_padding": lambda: ((2, 5, 6), [onnx_node("Pad", ["x", "pads", "low"], "p"), onnx_node("MaxPool", ["p"], kernel_shape=[3, 3], strides=[2, 2])],
                                    dict(pads=single([0, 0, 0, 1, 0, 0, 1, 1], np.int64), low=single(-np.inf))),
    "conv_transpose_groups": lambda: ((4, 3, 5), [onnx_node("ConvTranspose", ["x", "w", "b"], group=2, strides=[2, 3], pads=[1, 0, 1, 2], output_padding=[1, 2])],
                                      dict(w=floats(4, 3, 3, 4), b=floats(6))),
    "flatten_weights": lambda: ((12,), [onnx_node("Flatten", ["w"], "f", axis=2), onnx_node("Gemm", ["x", "f"])], dict(w=floats(3, 4, 5))),
    "gather_nd_in_windows": lambda: in_windows("GatherND", ["v", "i"]),
    "resize_to_the_same": lambda: ((2, 3, 4), [onnx_node("Resize", ["x", "", "", "sizes"], mode="cubic", antialias=1, exclude_outside=1)], dict(sizes=np.array([1, 2, 3, 4]))),
    "scatter_all": lambda: ((2, 3), [onnx_node("Relu", ["x"], "r"), onnx_node("ScatterND", ["x", "i", "r"])], dict(i=np.array([[[[0, a, b] for b in range(3)] for a in range(2)]]))),
}


def in_windows(operator, inputs, **attributes):
    """Four windows of a plane, which stand in the batch axis while the operator runs."""
    nodes = [onnx_node("Reshape", ["x", "split"], "s"), onnx_node("Transpose", ["s"], "t", perm=[0, 2, 4, 1, 3, 5]),
             onnx_node("Reshape", ["t", "windows"], "v"), onnx_node(operator, inputs, "m", **attributes),
             onnx_node("Reshape", ["m", "flat"])]
    constants = dict(split=np.array([1, 4, 2, 5, 2, 6]), windows=np.array([4, 4, 5, 6]), flat=np.array([1, -1]))
    return (4, 10, 12), nodes, dict(constants, w=floats(3, 4, 3, 2), b=floats(3), g=floats(6, 2, 2, 2), i=np.array([[[3, 1], [0, 2]], [[-1, 0], [2, 3]], [[0, 2], [0, 2]]]))


def three_axes(shape, kernel, group=1, **attributes):
    attributes = dict(dict(pads=[0] * 6, strides=[1] * 3, dilations=[1] * 3), **attributes)
    made = onnx_node("Conv", ["x", "w", "b"], kernel_shape=kernel, group=group, **attributes)
    return shape, [made], dict(w=floats(6, shape[0] // group, *kernel), b=floats(6))


def main(out):
    os.makedirs(out, exist_ok=True)
    cases = {}
    for name, build in CASES.items():
        shape, nodes, constants = build()
        x = floats(1, *shape)
        graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])],
                                  [helper.make_empty_tensor_value_info("y")],
                                  [values if isinstance(values, TensorProto) else numpy_helper.from_array(values, key)
                                   for key, values in constants.items()])
        # Integers of 4 bits, and blocks, are as new as that.
        opset = 18 if nodes[0].op_type == "Resize" else 21 if any(made.op_type == "DequantizeLinear" and made.input[0] in constants for made in nodes) else 17
        if nodes[0].op_type == "ImageScaler":
            opset = 9
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10 if opset == 21 else 8, producer_name="pellucid")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        y = session.run(None, {"x": x})[0]
        with open(os.path.join(out, f"{name}.onnx"), "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
        cases[name] = {key: {"shape": list(v.shape), "values": [float(n) for n in v.ravel()]} for key, v in (("x", x), ("y", y))}
        print(f"{name}: {x.shape} to {y.shape}")
    with open(os.path.join(out, "cases.json"), "w") as file:
        json.dump(cases, file)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
