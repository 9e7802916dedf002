"""Writes OUT/: what onnxruntime, run literally, makes of the shipped int8 model, and its straight-through gradient.

A quantized network amplifies rounding: one step in an early tensor moves thousands of later values by several. So
these files hold another engine to the logits, to the early tensors and to a cosine; make_int8.py holds it to the step.

usage: make_shipped.py OUT_FOLDER
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image

import pictures
from export import all_values
from onnx_torch import Network

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "efficientnet-lite0-int8.onnx")
PHOTOS = ["cat", "coffee", "camera"]
STRIDE = 97


def quantizers(model):
    """The activations' QuantizeLinear nodes with their scale and zero point."""
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            yield node, constants[node.input[1]], constants[node.input[2]]


def activation_samples(model, values):
    """Every 97th value of each quantized activation in C order, end to end, and where each tensor's begin."""
    samples, tensors, offset = [], [], 0
    for node, scale, zero_point in quantizers(model):
        part = values[node.output[0]].reshape(-1)[::STRIDE]
        tensors.append({"node": node.name, "quantized": node.output[0], "float": node.input[0],
                        "shape": list(values[node.output[0]].shape), "scale": float(scale),
                        "zero_point": int(zero_point), "offset": offset, "count": len(part)})
        samples.append(part)
        offset += len(part)
    return np.concatenate(samples), tensors


def gradients(model, x):
    """In float32 and float64: the top logit's gradient, and Grad-CAM at the pooling's input."""
    pooled = next(node.input[0] for node in model.graph.node if node.op_type == "GlobalAveragePool")
    for dtype in (torch.float32, torch.float64):
        leaf = torch.from_numpy(x).to(dtype).requires_grad_()
        values = Network(model, dtype).run(leaf)
        target = int(values["logits"].argmax())
        at_input, at_pool = torch.autograd.grad(values["logits"][0, target], [leaf, values[pooled]])
        cam = (at_pool.mean((2, 3), keepdim=True) * values[pooled]).sum(1)
        yield target, pooled, at_input[0].numpy(), cam[0].detach().numpy()


def cosine(a, b):
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def main(out):
    torch.set_num_threads(1)
    os.makedirs(out, exist_ok=True)
    model = onnx.load(MODEL)
    manifest = {"model": "models/efficientnet-lite0-int8.onnx", "normalise": "(v - 127) / 128, RGB, to [1,3,224,224]",
                "reference": f"onnxruntime {onnxruntime.__version__}, ORT_DISABLE_ALL, one thread",
                "photos": {}}
    for name in PHOTOS:
        crop = pictures.centre_crop(pictures.photo(name), 256, 224, 224, Image.BICUBIC)
        x = pictures.normalise(crop, 127, 128)[None]
        values = all_values(model, x)
        np.save(os.path.join(out, f"{name}_crop.npy"), crop)
        np.save(os.path.join(out, f"{name}_logits.npy"), values["logits"])
        manifest["photos"][name] = {"crop": f"{name}_crop.npy", "logits": f"{name}_logits.npy",
                                    "top": int(values["logits"].argmax())}
        if name == PHOTOS[0]:
            samples, tensors = activation_samples(model, values)
            np.save(os.path.join(out, f"{name}_activations.npy"), samples)
            (target, pooled, saliency, cam), (_, _, exact, exact_cam) = gradients(model, x)
            np.save(os.path.join(out, f"{name}_saliency.npy"), saliency)
            np.save(os.path.join(out, f"{name}_grad-cam.npy"), cam)
            manifest["activations"] = {"photo": name, "file": f"{name}_activations.npy", "stride": STRIDE,
                                       "tensors": tensors}
            manifest["gradient"] = {
                "photo": name, "target": target, "saliency": f"{name}_saliency.npy",
                "grad-cam": f"{name}_grad-cam.npy", "layer": pooled,
                "reference": "torch float32 with straight-through quantizers",
                "cosine_of_float32_and_float64": {"saliency": cosine(saliency, exact),
                                                  "grad-cam": cosine(cam, exact_cam)}}
    with open(os.path.join(out, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    print(json.dumps(manifest["photos"]), json.dumps(manifest["gradient"]))


if __name__ == "__main__":
    main(sys.argv[1])
