"""Architectures of torchvision, timm and transformers at small width, exported as people export them, with torch's answers.

usage: make_torch.py torchvision|timm|transformers OUT_FOLDER [NAME...]      (versions: ../requirements.txt)
"""
import importlib
import os
import sys
import tempfile
import warnings

import onnx
import onnxruntime
import torch

from drawing import image
from fixture import Folder
from narrow import answers, settle

# The older exporter with a batch of one, and the newer one with any batch.
OLD = dict(dynamo=False, opset_version=17)
NEW = dict(dynamo=True, opset_version=18, external_data=False, verbose=False, dynamic_shapes=({0: torch.export.Dim("batch")},))
# As Hugging Face's optimum does it: batch, channels, height and width are all open.
OPEN = dict(OLD, dynamic_axes={"input": dict(enumerate(["batch_size", "num_channels", "height", "width"])), "logits": {0: "batch_size"}})
EXPORTS = {"torchvision": {"legacy": OLD, "dynamo": NEW}, "timm": {"legacy": OLD}, "transformers": {"optimum": OPEN}}

# Networks that are tested as onnxruntime's optimizer saves them, too: with its own operators.
OPTIMIZED = ("mobilevit", "swin")


def optimized(model):
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = os.path.join(folder, "optimized.onnx")
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def export(model, size, options):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = os.path.join(folder, "model.onnx")
        # More than one image where the batch is open, or the exporter closes it.
        example = torch.from_numpy(image(size)).repeat(1 if "dynamic_shapes" not in options else 2, 1, 1, 1)
        torch.onnx.export(model, (example,), path, input_names=["input"], output_names=["logits"], **options)
        return onnx.load(path)


def settled(build, name, layer, size):
    """The network with the first seed that puts the image off every kink."""
    for seed in range(20):
        torch.manual_seed(0)
        model = settle(build(), size, [seed, *name.encode()])
        try:
            return model, answers(model, size, layer)
        except ValueError as error:
            print(f"{name}, seed {seed}: {error}", flush=True)
    raise ValueError(f"{name}: every seed is on a kink")


def main(family, out, *names):
    networks = importlib.import_module(f"{family}_networks").BUILD
    folder = Folder(os.path.join(out, family))
    for name in names or networks:
        build, layer, size = networks[name]
        model, truth = settled(build, name, layer, size)
        models = {key: (export(model, size, options), False) for key, options in EXPORTS[family].items()}
        if family == "transformers" and name in OPTIMIZED:
            models["optimized"] = (optimized(models["optimum"][0]), False)
        folder.add(name, size, layer, truth, models)
    folder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
