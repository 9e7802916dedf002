"""Writes OUT/: a small int8 network whose every integer is the same for any engine with float32 arithmetic.

It is the small EfficientNet-Lite, quantized as the shipped model is. Of many pictures, the input is the one whose
values stay farthest from the ties of rounding, so the quantized activations, and with them the straight-through
gradient, do not hinge on the order of additions.

usage: make_int8.py OUT_FOLDER
"""
import json
import logging
import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

import pictures
from export import all_values, export
from make_networks import LABELS, MEAN, STD
from make_shipped import quantizers
from networks import build
from onnx_torch import Network

HEIGHT, WIDTH, SEED = 24, 31, 1


def inputs(count, seed):
    crops = pictures.random_crops(HEIGHT, WIDTH, count, seed)
    return np.stack([pictures.normalise(crop, MEAN, STD) for crop in crops])


class Reader(CalibrationDataReader):
    def __init__(self, xs):
        self.xs = iter(xs)

    def get_next(self):
        x = next(self.xs, None)
        return None if x is None else {"input": x[None]}


def quantize(source, out):
    quantize_static(source, out, Reader(inputs(12, seed=1)),  # few, so that other pictures saturate in places
                    quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    per_channel=True, calibrate_method=CalibrationMethod.MinMax,
                    extra_options={"QDQKeepRemovableActivations": True,
                                   "OpTypesToExcludeOutputQuantization": ["Gemm"]})


def margin(model, values):
    """The least distance, in steps, of any quantizer's input from a tie; exact integers and saturation are far."""
    return min(float((0.5 - (v - v.round()).abs()).abs().min()) for v in
               (values[node.input[0]] / float(scale) for node, scale, _ in quantizers(model)))


def saturated(model, values):
    """How many values each activation quantizer clipped."""
    counts = {}
    for node, scale, zero_point in quantizers(model):
        q = torch.round(values[node.input[0]] / float(scale)) + int(zero_point)
        counts[node.name] = int(((q < 0) | (q > 255)).sum())
    return counts


def main(out):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "model.onnx")
    network = build("lite", torch.from_numpy(inputs(64, seed=0)), SEED)
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "float.onnx")
        metadata = {"pellucid.labels": "\n".join(LABELS), "pellucid.mean": ",".join(map(str, MEAN)),
                    "pellucid.std": ",".join(map(str, STD)), "pellucid.name": "test network: lite int8"}
        export("lite", network, torch.zeros(1, 3, HEIGHT, WIDTH), source, metadata)
        quantize(source, path)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)

    exact = Network(model, torch.float64)
    candidates = torch.from_numpy(inputs(2000, seed=2)).double()
    with torch.no_grad():
        margins = [margin(model, exact.run(x[None])) for x in candidates]
    best = int(np.argmax(margins))
    x = candidates[best:best + 1].requires_grad_()
    values = exact.run(x)
    reference = all_values(model, x.detach().float().numpy())

    tensors = []
    for node, scale, zero_point in quantizers(model):
        name = node.output[0]
        if not np.array_equal(reference[name], values[name].detach().numpy()):
            raise ValueError(f"{name}: onnxruntime and torch differ: the margin is too small")
        tensors.append({"node": node.name, "quantized": name, "float": node.input[0], "scale": float(scale),
                        "zero_point": int(zero_point), "shape": list(reference[name].shape)})
    offsets = np.cumsum([0] + [int(np.prod(t["shape"])) for t in tensors])
    for tensor, offset in zip(tensors, offsets):
        tensor["offset"] = int(offset)

    pooled = next(n.input[0] for n in model.graph.node if n.op_type in ("GlobalAveragePool", "ReduceMean"))
    logits = values["logits"]
    order = logits[0].argsort(descending=True)
    targets = [int(order[rank]) for rank in (0, 1, len(LABELS) - 1)]
    pairs = [torch.autograd.grad(logits[0, t], [x, values[pooled]], retain_graph=True) for t in targets]
    cams = [(g.mean((2, 3), keepdim=True) * values[pooled]).sum(1) for _, g in pairs]

    arrays = {"input": x.detach(), "logits": logits.detach(), "saliency": torch.cat([g for g, _ in pairs]),
              "grad-cam_last": torch.cat(cams).detach()}
    for name, array in arrays.items():
        np.save(os.path.join(out, f"{name}.npy"), array.float().numpy())
    np.save(os.path.join(out, "activations.npy"),
            np.concatenate([reference[t["quantized"]].reshape(-1) for t in tensors]))
    manifest = {
        "targets": targets, "layer": pooled, "margin_in_steps": margins[best],
        "reference": "onnxruntime without graph optimisations for the integers; torch float64 with straight-through "
                     "quantizers for saliency.npy [K,C,H,W] and grad-cam_last.npy [K,h,w]",
        "saturated": saturated(model, values), "activations": "activations.npy", "tensors": tensors}
    with open(os.path.join(out, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    print(f"lite int8: margin {margins[best]:.1e} steps, median {np.median(margins):.1e}; saturated "
          f"{sum(manifest['saturated'].values())} of {int(offsets[-1])}; logits {logits.detach().numpy().round(2)}")


if __name__ == "__main__":
    main(sys.argv[1])
