"""What is written of each network, whichever framework it is from."""
import gzip
import json
import os

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from drawing import image, image_name

# Of gradients and activations every seventh value is stored: 7 shares no factor with heights, widths or channels.
STRIDE = 7


class Folder:
    """A family's folder: NAME.EXPORT.onnx.gz, NAME.gradient.npy, NAME.layer.npy, and expected.json with the rest."""

    def __init__(self, path):
        self.path, self.expected = path, {}
        os.makedirs(path, exist_ok=True)

    def add(self, name, size, layer, answers, models, **kind):
        """`answers` are the framework's: scores [10], gradient [3,H,W] of the top one, the layer [C,h,w] or None. `models` are
        the files by exporter, with True where the image has its channels last. `kind` says which image: `pixels`, `grey`."""
        scores, gradient, kept = answers
        target, x = int(np.argmax(scores)), image(size, **kind)
        for export, (model, channels_last) in models.items():
            model = compact(model)
            check(f"{name}.{export}", scorer(model, channels_last), x, answers)
            with open(os.path.join(self.path, f"{name}.{export}.onnx.gz"), "wb") as file:
                file.write(gzip.compress(model.SerializeToString(deterministic=True), 9, mtime=0))
        np.save(os.path.join(os.path.dirname(self.path), f"image_{image_name(size, **kind)}.npy"), x)
        logits = scorer(*next(iter(models.values())))(x)
        for part, values in (("gradient", gradient), ("layer", kept)):
            if values is not None:
                np.save(os.path.join(self.path, f"{name}.{part}.npy"), values.ravel()[::STRIDE].astype(np.float32))
        self.expected[name] = {"image": image_name(size, **kind), "exports": list(models), "scores": logits.tolist(), "target": target,
                               "layer": layer, "layer_shape": kept is not None and list(kept.shape)}
        print(f"{name}: layer {layer}, scores {scores.min():.1f} to {scores.max():.1f}", flush=True)

    def close(self):
        with open(os.path.join(self.path, "expected.json"), "w") as file:
            json.dump(self.expected, file, indent=1)
            file.write("\n")


def compact(model):
    """Weights that were bfloat16 before an exporter multiplied and divided them are so again; a change of 1e-6."""
    for item in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer]:
        item.ClearField("doc_string")
        if item is not model:
            item.ClearField("metadata_props")
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) > 64:
            values = numpy_helper.to_array(tensor)
            rounded = ((values.view(np.uint32) + 0x8000) & 0xFFFF0000).astype(np.uint32).view(np.float32)
            close = np.abs(rounded - values) <= 1e-6 * np.abs(values)
            tensor.CopyFrom(numpy_helper.from_array(np.where(close, rounded, values), tensor.name))
    onnx.checker.check_model(model)
    return model


def session(model):
    """onnxruntime on the CPU, the graph run as it stands."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def scorer(model, channels_last):
    """Images [1,3,H,W] to scores [10]: what the file gives, before a softmax that it ends in."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    output = probe.graph.output[0].name
    last = next(node for node in probe.graph.node if output in node.output)
    while last.op_type in ("Identity", "Softmax"):
        output = last.input[0]
        last = next(node for node in probe.graph.node if output in node.output)
    if output != probe.graph.output[0].name:
        probe.graph.output.append(onnx.ValueInfoProto(name=output))
    opened = session(probe)
    name = opened.get_inputs()[0].name
    return lambda x: opened.run([output], {name: x.transpose(0, 2, 3, 1) if channels_last else x})[0].ravel()


def check(name, score, x, answers):
    """The file answers as the framework does; central differences along random directions are the gradient's."""
    scores, gradient, _ = answers
    target = int(np.argmax(scores))
    error = np.linalg.norm(score(x) - scores) / np.linalg.norm(scores)
    if error > 1e-4:
        raise ValueError(f"{name}: onnxruntime's scores differ by {error:.1e}")
    rng, errors = np.random.default_rng(3), []
    for _ in range(4):
        # With a share of the gradient, as a random direction alone is almost at a right angle to it.
        unit = gradient / np.linalg.norm(gradient)
        direction = unit + rng.standard_normal(gradient.shape) / np.sqrt(gradient.size)
        # A step that moves the score by a hundredth: far above rounding, and few kinks lie on the way.
        step = 0.01 / np.linalg.norm(gradient)
        moved = (step * direction).astype(np.float32)[None]
        slope = (float(score(x + moved)[target]) - float(score(x - moved)[target])) / (2 * step)
        errors.append(abs(slope / (gradient * direction).sum() - 1))
    if np.median(errors) > 0.02:
        raise ValueError(f"{name}: central differences differ by {errors}")
