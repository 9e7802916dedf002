"""Writes OUT/NAME/ for each small network: model.onnx, input, logits, every method's maps and manifest.json.

The maps come from the network in float64, so that all the difference from them is the tested engine's.

usage: make_networks.py OUT_FOLDER
"""
import copy
import functools
import importlib.metadata
import json
import os
import sys
import warnings

import numpy as np
import torch
from PIL import Image

import cams
import expected_gradients
import gradients
import pictures
from export import export, layer_values, session
from networks import CLASSES, NETWORKS, build

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SHORT_SIDE = 48
LABELS = [f"class {name}" for name in "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()]
SMOOTHING = {"lite": 0.2, "resnet": 0.2}  # noise only where it earns its bytes
FORWARD_ONLY = {"score-cam", "ablation-cam"}  # as many forward passes as channels: the last layer is enough


class Unsteady(Exception):
    """A map hinges on rounding: some ReLU's input is so near to zero that float32 may fall on either side."""


def tensors(pixels):
    # Contiguous: for an example in channels-last order the exporter writes global pooling with a Gather.
    return torch.from_numpy(np.ascontiguousarray([pictures.normalise(image, MEAN, STD) for image in pixels]))


def relative_l2(a, b):
    return float((a - b).norm() / a.norm())


class Fixture:
    """One network's folder; `add` writes a method's maps for all targets, stacked, and describes them."""

    def __init__(self, folder, model, x, background, targets, layers):
        self.folder, self.targets, self.layers, self.methods = folder, targets, layers, []
        self.exact = (copy.deepcopy(model).double(), x.double(), background.double())
        nudge = 1 + 2e-7 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        self.rounded = (model, x * nudge, background)

    def save(self, name, array):
        np.save(os.path.join(self.folder, name), array)
        return name

    def maps(self, f, layer, model, x, background):
        path = () if layer is None else (self.layers[layer]["torch"],)
        extra = (background,) if getattr(f, "wants_background", False) else ()
        return torch.cat([f(model, *path, x, *extra, target).detach() for target in self.targets])

    def add(self, method, f, axes, layer=None, variant=None, steady=3e-5, **described):
        """`f(model, [layer's path,] x, [background,] target)` gives [1,...]."""
        name = "_".join(part for part in (method, layer, variant) if part)
        maps = self.maps(f, layer, *self.exact)
        rounding = relative_l2(maps, self.maps(f, layer, *self.rounded).double())
        if not rounding < steady:
            raise Unsteady(f"{name}: {rounding:.1e}")
        self.save(f"{name}.npy", maps.float().numpy())
        entry = {"method": method, "file": f"{name}.npy", "axes": axes, "shape": list(maps.shape)}
        if layer:
            entry["layer"] = layer
        self.methods.append(entry | described | {"float32_relative_l2": float(f"{rounding:.1e}")})
        return maps


def gradient_methods(fixture):
    image = "[K,C,H,W]"
    fixture.add("saliency", gradients.saliency, image, reference="Captum Saliency, signed")
    fixture.add("input-x-gradient", gradients.input_x_gradient, image, reference="Captum InputXGradient")
    fixture.add("guided-backprop", gradients.guided_backprop, image,
                reference="autograd with guided ReLU and ReLU6; other activations plain")
    maps = fixture.add("integrated-gradients", gradients.integrated_gradients, image,
                       reference="Captum IntegratedGradients",
                       parameters={"steps": 50, "rule": "gausslegendre", "baseline": 0})
    model, x, _ = fixture.exact
    gain = (model(x) - model(x * 0))[0, fixture.targets]
    fixture.methods[-1]["delta"] = (maps.sum((1, 2, 3)) - gain).tolist()
    fixture.add("occlusion", gradients.occlusion, "[K,H,W]", reference="Captum Occlusion",
                parameters={"window": [8, 8], "stride": [5, 5], "fill": 0})


def cam_methods(fixture):
    layer_map = "[K,h,w]"
    for layer in fixture.layers:
        fixture.add("grad-cam", gradients.grad_cam, layer_map, layer, reference="Captum LayerGradCam, signed")
        for method, kind in cams.FAMILY.items():
            if layer == "last" or method not in FORWARD_ONLY:
                # Compared by cosine: some of them divide by what may be near to zero.
                fixture.add(method, functools.partial(cams.raw, kind), layer_map, layer, steady=1e-3,
                            reference=f"pytorch-grad-cam {kind.__name__}, before its ReLU and scaling")
                if method == "eigen-cam":
                    fixture.methods[-1]["note"] = "the sign is arbitrary; the same for every target"
    fixture.add("ablation-cam", cams.ablation_cam, layer_map, "last",
                reference="own loop; pytorch-grad-cam AblationCAM where no activation is negative")
    for mode in ("nearest", "bilinear"):
        fixture.add("guided-grad-cam", functools.partial(gradients.guided_grad_cam, mode=mode), "[K,C,H,W]", "last",
                    mode, reference="Captum's definition, over guided-backprop.npy")


def expected_gradient_methods(fixture, sigma):
    model, x, background = fixture.exact
    draws = expected_gradients.Draws(x.shape[1:], len(background), 8 if sigma else 24, sigma)
    files = {"background": fixture.save("background.npy", background.float().numpy()),
             "indices": fixture.save("eg_indices.npy", draws.indices.astype(np.int32)),
             "t": fixture.save("eg_t.npy", draws.t)}
    noise = {"noise": fixture.save("eg_noise.npy", draws.noise)} if sigma else {}
    checks = {"shap GradientExplainer": expected_gradients.difference_from_shap,
              "captum GradientShap": expected_gradients.difference_from_captum}
    checks = {name: f(model, x, background, draws, fixture.targets[0]) for name, f in checks.items()}
    if max(checks.values()) > 1e-5:
        raise Unsteady(f"expected gradients differ from their references: {checks}")

    def run(f, take=lambda result: result):
        def wrapped(model, *args):
            *path, x, background, target = args
            return take(f(model, *path, x, background, draws, target))
        wrapped.wants_background = True
        return wrapped

    at_input = {"draws": files | noise, "parameters": {"samples": len(draws.t), "smoothing": sigma}}
    fixture.add("expected-gradients", run(expected_gradients.at_input, lambda r: r[0]), "[K,C,H,W]",
                reference="own loop, checked against shap and Captum with the same draws",
                relative_l2_from=checks, **at_input)
    fixture.add("expected-gradients", run(expected_gradients.at_input, lambda r: r[1]), "[K,C,H,W]",
                variant="standard-error", reference="deviation (n - 1) / sqrt(n) over the samples", **at_input)
    fixture.add("expected-gradients", run(expected_gradients.at_layer), "[K,h,w]", "middle",
                reference="own loop: the layer's activations interpolated, summed over channels",
                draws=files, parameters={"samples": len(draws.t), "smoothing": 0})


def make(name, out, seed):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    height, width = NETWORKS[name].size
    model = build(name, tensors(pictures.random_crops(height, width, 64)), seed)
    crops = [pictures.centre_crop(pictures.photo(p), SHORT_SIDE, height, width, Image.BILINEAR)
             for p in pictures.PHOTOS]
    x, others = tensors(crops[:1]), crops[1:]
    background = tensors(others + [image[:, ::-1] for image in others[:2]])

    path = os.path.join(folder, "model.onnx")
    exported = export(name, model, x, path, {
        "pellucid.name": f"test network: {name}",
        "pellucid.labels": "\n".join(LABELS),
        "pellucid.mean": ",".join(map(str, MEAN)),
        "pellucid.std": ",".join(map(str, STD)),
        "pellucid.resize": str(SHORT_SIDE),
        "pellucid.interpolation": "bilinear",
    })
    with torch.no_grad():
        logits = model(x).numpy()
    np.testing.assert_allclose(session(path).run(None, {"input": x.numpy()})[0], logits, rtol=1e-4, atol=1e-4)
    order = np.argsort(-logits[0])
    targets = [int(order[rank]) for rank in (0, 1, CLASSES - 1)]

    fixture = Fixture(folder, model, x, background, targets, layer_values(exported, model, x, NETWORKS[name].layers))
    fixture.save("input.npy", x.numpy())
    fixture.save("logits.npy", logits)
    gradient_methods(fixture)
    cam_methods(fixture)
    expected_gradient_methods(fixture, SMOOTHING.get(name, 0.0))
    if name == "vgg":
        gradients.guided_matches_captum(model, fixture.layers["last"]["torch"], x, targets[0])
    manifest = {
        "network": name, "seed": seed, "opset": exported.opset_import[0].version, "input": "input.npy",
        "logits": "logits.npy", "targets": targets, "layers": fixture.layers, "methods": fixture.methods,
        "versions": {package: importlib.metadata.version(package) for package in
                     ("torch", "captum", "shap", "grad-cam", "onnx", "onnxruntime", "onnxscript")},
    }
    with open(os.path.join(folder, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")
    print(f"{name}: seed {seed}, logits {np.round(logits[0], 2)}")


def main(out):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in NETWORKS:
        for seed in range(1, 30):  # the first that is steady
            try:
                make(name, out, seed)
                break
            except Unsteady as reason:
                print(f"{name}: seed {seed} will not do: {reason}")
        else:
            sys.exit(f"{name}: no seed gives steady maps")


if __name__ == "__main__":
    main(sys.argv[1])
