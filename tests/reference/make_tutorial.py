"""Writes OUT/: the three networks of the tutorial (ResNet50, InceptionV3, VGG16) in 8 bits, as onnxruntime quantizes them.

They are Keras' small-width files of architectures/keras, with the image's channels last and first, in these ways: QDQ and
QOperator, activations of uint8, weights of int8 per tensor and per channel. Every scale is rounded up to a power of two:
then each product and sum is exact in float32, and ties of rounding are the same ties in every engine. So networks of a
hundred layers of 8 bits can be compared at all; with other scales the last bits of sums become steps, and steps grow.
`scores` are onnxruntime's before the softmax, with its optimisations off; `NETWORK_WAY.saliency.npy` is torch's of the top
class, straight through every quantizer, in double precision: every seventh value.

usage: make_tutorial.py KERAS_FOLDER OUT_FOLDER
"""
import gzip
import json
import logging
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType, onnx_quantizer, qdq_quantizer,
                                      quant_utils, quantize_static)

from onnx_torch import Network

sys.path.append(os.path.join(os.path.dirname(__file__), "architectures"))
from drawing import image, image_name, images  # noqa: E402

STRIDE = 7
NETWORKS = {"ResNet50": 64, "InceptionV3": 128, "VGG16": 64}
WAYS = {
    "qdq_tensor": ("nchw", QuantFormat.QDQ, False),
    "qdq_channel": ("nhwc", QuantFormat.QDQ, True),
    "qop_tensor": ("nhwc", QuantFormat.QOperator, False),
    "qop_channel": ("nchw", QuantFormat.QOperator, True),
}


def to_powers_of_two():
    """From here on onnxruntime's quantizer rounds scales up."""
    plain = quant_utils.compute_scale_zp

    def rounded(rmin, rmax, qmin, qmax, symmetric=False, min_real_range=None):
        zero, scale = plain(rmin, rmax, qmin, qmax, symmetric, min_real_range)
        power = np.array(2.0 ** np.ceil(np.log2(scale)), dtype=scale.dtype)
        if not symmetric:
            zero = np.array(np.round(qmin - min(rmin, 0) / power), dtype=zero.dtype)
        return [zero, power]

    for module in (quant_utils, onnx_quantizer, qdq_quantizer):
        module.compute_scale_zp = rounded


class Images(CalibrationDataReader):
    def __init__(self, size, channels_last):
        seen = images(np.random.default_rng(1), 12, size)
        self.rest = iter(seen.transpose(0, 2, 3, 1) if channels_last else seen)

    def get_next(self):
        x = next(self.rest, None)
        return None if x is None else {"image": x[None]}


def quantized(source, size, way):
    export, kind, per_channel = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "integers.onnx")
        quantize_static(source, path, Images(size, export == "nhwc"), quant_format=kind, per_channel=per_channel,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        return onnx.load(path)


def read(path):
    with gzip.open(path) as file:
        return onnx.load_from_string(file.read())


def softmax_input(model):
    """The name of what enters the softmax, and its scale and zero point where that is integers."""
    node = next(node for node in model.graph.node if "Softmax" in node.op_type)
    if node.op_type == "Softmax":
        return node.input[0], 1.0, 0.0
    constants = {t.name: float(numpy_helper.to_array(t)) for t in model.graph.initializer if t.name in node.input[1:3]}
    return node.input[0], constants[node.input[1]], constants[node.input[2]]


def scores(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    name, scale, zero = softmax_input(model)
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return (session.run([name], {"image": x})[0].ravel().astype(np.float64) - zero) * scale


def answer(name, model, x, channels_last):
    """The scores, and the saliency [3,H,W] of the top one."""
    given = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if channels_last else x
    reference = scores(model, given)
    image = torch.from_numpy(given).double().requires_grad_()
    entering, scale, zero = softmax_input(model)
    made = (Network(model, torch.float64).run(image)[entering][0] - zero) * scale
    error = np.abs(made.detach().numpy() - reference).max()
    if error > 1e-9:
        raise ValueError(f"{name}: onnxruntime and torch differ by {error:.1e}")
    target = int(reference.argmax())
    (saliency,) = torch.autograd.grad(made[target], image)
    saliency = saliency.numpy()[0]
    return reference, target, saliency.transpose(2, 0, 1) if channels_last else saliency


def main(keras, out):
    logging.disable(logging.WARNING)
    to_powers_of_two()
    os.makedirs(out, exist_ok=True)
    manifest = {}
    for network, size in NETWORKS.items():
        for way, (export, *_) in WAYS.items():
            name = f"{network}_{way}"
            model = quantized(read(os.path.join(keras, f"{network}.{export}.onnx.gz")), size, way)
            logits, target, saliency = answer(name, model, image(size), export == "nhwc")
            with open(os.path.join(out, f"{name}.onnx.gz"), "wb") as file:
                file.write(gzip.compress(model.SerializeToString(deterministic=True), 9, mtime=0))
            np.save(os.path.join(out, f"{name}.saliency.npy"), saliency.ravel()[::STRIDE].astype(np.float32))
            manifest[name] = {"image": image_name(size), "scores": logits.tolist(), "target": target,
                              "operators": sorted({node.op_type for node in model.graph.node})}
            print(f"{name}: scores {logits.min():.2f} to {logits.max():.2f}; {', '.join(manifest[name]['operators'])}")
    with open(os.path.join(out, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
