"""Writes OUT/: small networks quantized by onnxruntime in every way that it has, and what they answer.

NETWORK_WAY.onnx for four networks (a residual one, one with branches, one with fully connected layers, one with matrix
products of tokens) and these ways: QOperator and QDQ, activations of uint8 and int8, weights per tensor and per channel, and
dynamic. Of many images, the one
is taken whose values stay farthest from the ties of rounding, so that scores do not hinge on the order of additions.
`scores` are onnxruntime's, with its optimisations off; `saliency` is torch's, straight through every quantizer, in
double precision.

usage: make_integers.py OUT_FOLDER
"""
import json
import logging
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from onnx_torch import Network

SHAPE, CLASSES = (3, 12, 13), 5
WAYS = {
    "qop_u8_channel": (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8, True),
    "qop_u8_tensor": (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QUInt8, False),
    "qop_s8_tensor": (QuantFormat.QOperator, QuantType.QInt8, QuantType.QInt8, False),
    "qdq_u8_tensor": (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8, False),
    "qdq_s8_channel": (QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, True),
    "dynamic": None,
    "dynamic_channel": None,
}
# Weights of convolutions and of Gemm have one scale each in dynamic quantization.
ONLY = {"dynamic_channel": ["tokens"]}


class Builder:
    """A network of floats with seeded weights."""

    def __init__(self, name):
        self.rng = np.random.default_rng(sum(name.encode()))
        self.nodes, self.constants = [], []

    def weights(self, *shape):
        name = f"weights_{len(self.constants)}"
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 4
        values = self.rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def add(self, operator, *inputs, **attributes):
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"{name}_node", **attributes))
        return name

    def conv(self, x, outputs, inputs, kernel=3, group=1, stride=1):
        edge = kernel // 2
        return self.add("Conv", x, self.weights(outputs, inputs // group, kernel, kernel), self.weights(outputs),
                        kernel_shape=[kernel] * 2, pads=[edge] * 4, strides=[stride] * 2, dilations=[1, 1], group=group)

    def gemm(self, x, inputs, outputs):
        return self.add("Gemm", x, self.weights(outputs, inputs), self.weights(outputs), transB=1)

    def model(self, output):
        graph = helper.make_graph(
            self.nodes, "network", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *SHAPE])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", CLASSES])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="pellucid")
        return onnx.shape_inference.infer_shapes(model)


def residual(b):
    x = b.add("Relu", b.conv("input", 6, 3))
    y = b.conv(b.add("Relu", b.conv(x, 6, 6)), 6, 6)
    x = b.add("Relu", b.add("Add", x, y))
    x = b.add("Clip", b.conv(x, 6, 6, group=6, stride=2), bound(b, 0.0), bound(b, 6.0))
    x = b.add("Flatten", b.add("GlobalAveragePool", x), axis=1)
    return b.gemm(x, 6, CLASSES)


def bound(b, value):
    name = f"bound_{len(b.constants)}"
    b.constants.append(numpy_helper.from_array(np.float32(value), name))
    return name


def branches(b):
    x = b.add("Relu", b.conv("input", 6, 3))
    one = b.add("LeakyRelu", b.conv(x, 4, 6, kernel=1), alpha=0.1)
    three = b.conv(x, 5, 6)
    pooled = b.add("AveragePool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4, count_include_pad=1)
    x = b.add("Concat", one, three, b.conv(pooled, 3, 6, kernel=1), axis=1)
    x = b.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    gate = b.add("Sigmoid", b.conv(b.add("GlobalAveragePool", x), 12, 12, kernel=1))
    x = b.add("Mul", x, gate)
    x = b.add("Flatten", b.add("GlobalAveragePool", x), axis=1)
    return b.add("MatMul", x, b.weights(12, CLASSES))


def plain(b):
    x = b.add("MaxPool", b.add("Relu", b.conv("input", 6, 3)), kernel_shape=[2, 2], strides=[2, 2])
    x = b.add("MaxPool", b.add("Relu", b.conv(x, 8, 6)), kernel_shape=[2, 2], strides=[2, 2])
    x = b.add("Flatten", x, axis=1)
    x = b.add("Relu", b.gemm(x, 72, 16))
    return b.gemm(x, 16, CLASSES)


def tokens(b):
    x = b.add("Relu", b.conv("input", 8, 3, stride=4))
    b.constants.append(numpy_helper.from_array(np.array([0, 8, 12]), "tokens"))
    x = b.add("Transpose", b.add("Reshape", x, "tokens"), perm=[0, 2, 1])
    x = b.add("Relu", b.add("MatMul", x, b.weights(8, 12)))
    x = b.add("MatMul", x, b.weights(12, 6))
    return b.gemm(b.add("ReduceMean", x, axes=[1], keepdims=0), 6, CLASSES)


class Images(CalibrationDataReader):
    def __init__(self, count, seed):
        self.rest = iter(draw(count, seed))

    def get_next(self):
        x = next(self.rest, None)
        return None if x is None else {"input": x[None]}


def draw(count, seed):
    """Smooth images of noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((count, SHAPE[0], 4, 5))
    smooth = torch.nn.functional.interpolate(torch.from_numpy(coarse), SHAPE[1:], mode="bilinear")
    return (smooth.numpy() + 0.3 * rng.standard_normal((count, *SHAPE))).astype(np.float32)


def quantized(source, way, path):
    if WAYS[way] is None:
        quantize_dynamic(source, path, per_channel=way == "dynamic_channel", weight_type=QuantType.QUInt8, op_types_to_quantize=["Conv", "MatMul", "Gemm"])
    else:
        kind, activation, weight, per_channel = WAYS[way]
        quantize_static(source, path, Images(24, seed=1), quant_format=kind, activation_type=activation,
                        weight_type=weight, per_channel=per_channel)
    return onnx.load(path)


def scores(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": x})[0]


def answer(model, way):
    """The image that is farthest from ties, its scores and the straight-through saliency of the top class."""
    network = Network(model, torch.float64)
    candidates = draw(400, seed=2)
    margins = []
    for x in candidates:
        network.margin = 0.5
        with torch.no_grad():
            network.run(torch.from_numpy(x[None]).double())
        margins.append(network.margin)
    best = int(np.argmax(margins))
    x = torch.from_numpy(candidates[best:best + 1]).double().requires_grad_()
    made = network.run(x)[model.graph.output[0].name]
    reference = scores(model, x.detach().float().numpy())
    error = np.abs(made.detach().numpy() - reference).max() / np.abs(reference).max()
    if error > 1e-5:
        raise ValueError(f"onnxruntime and torch differ by {error:.1e}, with a margin of {margins[best]:.1e} steps")
    target = int(reference.argmax())
    (saliency,) = torch.autograd.grad(made[0, target], x)
    return x.detach().numpy()[0], reference[0], saliency.numpy()[0], target, margins[best]


def main(out):
    logging.disable(logging.WARNING)
    os.makedirs(out, exist_ok=True)
    manifest = {}
    for build in (residual, branches, plain, tokens):
        builder = Builder(build.__name__)
        source = builder.model(build(builder))
        for way in (way for way in WAYS if build.__name__ in ONLY.get(way, [build.__name__])):
            name = f"{build.__name__}_{way}"
            with tempfile.TemporaryDirectory() as folder:
                onnx.save(source, os.path.join(folder, "float.onnx"))
                model = quantized(os.path.join(folder, "float.onnx"), way, os.path.join(folder, "integers.onnx"))
            with open(os.path.join(out, f"{name}.onnx"), "wb") as file:
                file.write(model.SerializeToString(deterministic=True))
            x, logits, saliency, target, margin = answer(model, way)
            for kind, array in (("input", x), ("saliency", saliency)):
                np.save(os.path.join(out, f"{name}_{kind}.npy"), array[None].astype(np.float32))
            operators = sorted({node.op_type for node in model.graph.node})
            manifest[name] = {"scores": logits.tolist(), "target": target, "margin_in_steps": margin, "operators": operators}
            print(f"{name}: margin {margin:.1e} steps; {', '.join(operators)}")
    with open(os.path.join(out, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
