"""How far two builds of the model differ: the largest difference of a logit over a few images.

usage: compare.py COMMITTED.onnx REBUILT.onnx CALIBRATION.npy
"""
import sys

import numpy as np
import onnxruntime

from quantize import normalise


def logits(path, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["logits"], {"input": x[None]})[0] for x in inputs])


def main(committed, rebuilt, calibration):
    inputs = [normalise(image) for image in np.load(calibration)[:8]]
    a, b = logits(committed, inputs), logits(rebuilt, inputs)
    print(f"rebuilt model: not identical; over {len(inputs)} images a logit differs by at most {np.abs(a - b).max():.4g}"
          f" (logits span {a.min():.3g} to {a.max():.3g}); the top class agrees on"
          f" {int((a.argmax(1) == b.argmax(1)).sum())}")


if __name__ == "__main__":
    main(*sys.argv[1:])
