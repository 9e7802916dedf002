"""Writes OUT/lime, OUT/shap, OUT/segments and OUT/inpaint: what lime, shap, scikit-image and OpenCV answer.

lime and shap explain the probabilities of the small ResNet of NETWORKS, in float32 by onnxruntime.

usage: make_perturbation.py NETWORKS OUT
"""
import contextlib
import io
import json
import os
import sys
import warnings

import cv2
import numpy as np
import shap
import sklearn.metrics
import sklearn.linear_model
from lime.lime_image import LimeImageExplainer
from PIL import Image
from skimage.segmentation import felzenszwalb, quickshift, slic

import pictures
from export import session
from make_networks import MEAN, SHORT_SIDE, STD

KERNEL_WIDTH = 0.25


def save(out, name, array):
    np.save(os.path.join(out, name), np.ascontiguousarray(array))
    return name


def write_manifest(out, manifest):
    with open(os.path.join(out, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)
        file.write("\n")


class Classifier:
    """float [n,H,W,3], already normalised -> probabilities [n,10]"""

    def __init__(self, folder):
        self.session = session(os.path.join(folder, "model.onnx"))
        self.image = np.load(os.path.join(folder, "input.npy"))[0].transpose(1, 2, 0)

    def __call__(self, images):
        x = np.ascontiguousarray(np.asarray(images, np.float32).transpose(0, 3, 1, 2))
        logits = np.concatenate([self.session.run(None, {"input": part[None]})[0] for part in x]).astype(np.float64)
        e = np.exp(logits - logits.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)


def make_lime(classifier, out, samples=200, labels=3):
    os.makedirs(out, exist_ok=True)
    height, width, _ = classifier.image.shape
    pixels = pictures.centre_crop(pictures.photo(pictures.PHOTOS[0]), SHORT_SIDE, height, width, Image.BILINEAR)
    segments = slic(pixels, n_segments=24, start_label=0)
    manifest = {"network": "networks/resnet", "score": "probability", "segments": save(
        out, "segments.npy", segments.astype(np.int32)), "kernel_width": KERNEL_WIDTH, "alpha": 1, "fills": {}}
    for fill, colour in (("mean", None), ("zero", 0)):
        explainer, kept = LimeImageExplainer(kernel_width=KERNEL_WIDTH, random_state=3), []
        inner = explainer.data_labels

        def data_labels(*args, **kwargs):  # the samples are drawn inside
            kept[:] = inner(*args, **kwargs)
            return tuple(kept)
        explainer.data_labels = data_labels
        with contextlib.redirect_stderr(io.StringIO()):
            explanation = explainer.explain_instance(
                classifier.image.astype(np.float64), classifier, hide_color=colour, top_labels=labels,
                num_samples=samples, segmentation_fn=lambda _: segments, random_seed=1)
        z, probabilities = kept
        targets = [int(t) for t in explanation.top_labels]
        weights = np.array([[dict(explanation.local_exp[t])[s] for s in range(z.shape[1])] for t in targets])
        distances = sklearn.metrics.pairwise_distances(z, z[:1], metric="cosine").ravel()
        r2 = []
        for target, row in zip(targets, weights):  # the package keeps the last label's alone
            model = sklearn.linear_model.Ridge(alpha=1)
            model.coef_, model.intercept_ = row, explanation.intercept[target]
            r2.append(model.score(z, probabilities[:, target],
                                  sample_weight=np.sqrt(np.exp(-(distances / KERNEL_WIDTH) ** 2))))
        manifest["fills"][fill] = {
            "samples": save(out, f"{fill}_samples.npy", z.astype(np.uint8)),
            "probabilities": save(out, f"{fill}_probabilities.npy", probabilities[:, targets]),
            "weights": save(out, f"{fill}_weights.npy", weights), "targets": targets,
            "intercept": [float(explanation.intercept[t]) for t in targets], "r2": r2}
    write_manifest(out, manifest)
    print("lime:", z.shape, manifest["fills"]["mean"]["targets"], manifest["fills"]["mean"]["r2"])


def make_shap(classifier, out, max_evals=300, batch=10):
    os.makedirs(out, exist_ok=True)
    image, manifest = classifier.image, {"network": "networks/resnet", "score": "probability", "maskers": {}}

    def nudged(images):  # float32's rounding, to see that no order of refinement hinges on it
        return classifier(images) * (1 + 1e-6 * np.random.default_rng(0).standard_normal((len(images), 10)))

    for masker in ("blur(5,9)", "zero"):
        results = []
        for f in (classifier, nudged):
            np.random.seed(0)
            explainer = shap.PartitionExplainer(f, shap.maskers.Image(0 if masker == "zero" else masker, image.shape))
            with contextlib.redirect_stderr(io.StringIO()):
                results.append(explainer(image[None], max_evals=max_evals, batch_size=batch,
                                         outputs=shap.Explanation.argsort.flip[:3]))
        result, other = (r.values[0].transpose(3, 2, 0, 1) for r in results)
        drift = float(np.linalg.norm(result - other) / np.linalg.norm(result))
        if drift > 1e-4:
            raise ValueError(f"shap {masker}: the refinement hinges on rounding: {drift:.1e}")
        targets = np.argsort(-classifier(image[None])[0])[:3]
        name = masker.split("(")[0]
        manifest["maskers"][masker.replace("(", ":").rstrip(")")] = {
            "values": save(out, f"{name}.npy", result), "axes": "[K,C,H,W]", "targets": targets.tolist(),
            "max_evals": max_evals, "batch": batch, "evaluations": int(explainer.last_eval_count) + 2,
            "base": results[0].base_values[0].tolist(), "sum": result.sum((1, 2, 3)).tolist(),
            "probability": classifier(image[None])[0, targets].tolist(), "relative_l2_when_nudged": drift}
    manifest["inpainting"] = shap_inpainting(classifier, out, max_evals, batch)
    write_manifest(out, manifest)
    print("shap:", {k: (v["evaluations"], v["relative_l2_when_nudged"]) for k, v in manifest["maskers"].items()})


def shap_inpainting(classifier, out, max_evals, batch):
    """The maskers that inpaint work on bytes, so the network's normalisation is part of what is explained."""
    height, width, _ = classifier.image.shape
    pixels = pictures.centre_crop(pictures.photo(pictures.PHOTOS[0]), SHORT_SIDE, height, width, Image.BILINEAR)

    def classify(images):
        return classifier((np.asarray(images, np.float32) - np.float32(MEAN)) / np.float32(STD))

    if not np.allclose(classify(pixels[None]), classifier(classifier.image[None]), atol=1e-6):
        raise ValueError("the picture's bytes are not what the network's input was made from")
    targets = np.argsort(-classify(pixels[None])[0])[:3]
    entries = {}
    for masker in ("inpaint_telea", "inpaint_ns"):
        np.random.seed(0)
        explainer = shap.PartitionExplainer(classify, shap.maskers.Image(masker, pixels.shape))
        with contextlib.redirect_stderr(io.StringIO()):
            result = explainer(pixels[None].astype(np.float32), max_evals=max_evals, batch_size=batch,
                               outputs=shap.Explanation.argsort.flip[:3])
        values = result.values[0].transpose(3, 2, 0, 1)
        name = masker.replace("_", "-")
        entries[name] = {
            "values": save(out, f"{name}.npy", values.astype(np.float32)), "axes": "[K,C,H,W]",
            "targets": targets.tolist(), "max_evals": max_evals, "batch": batch,
            "evaluations": int(explainer.last_eval_count) + 2, "base": result.base_values[0].tolist(),
            "sum": values.sum((1, 2, 3)).tolist()}
    return entries


def make_segments(out):
    os.makedirs(out, exist_ok=True)
    algorithms = {"quickshift": (quickshift, dict(kernel_size=4, max_dist=200, ratio=0.2, rng=0)),
                  "slic": (slic, dict(n_segments=50, compactness=10, start_label=0)),
                  "felzenszwalb": (felzenszwalb, dict(scale=100, sigma=0.8, min_size=40))}
    picture = "quantized/cat_crop.npy"
    crop = pictures.centre_crop(pictures.photo("cat"), 256, 224, 224, Image.BICUBIC)
    manifest = {"picture": picture, "algorithms": {}}
    for name, (f, parameters) in algorithms.items():
        segments = f(crop, **parameters)
        manifest["algorithms"][name] = {"parameters": parameters, "segments": int(segments.max()) + 1,
                                        "file": save(out, f"{name}.npy", segments.astype(np.uint16))}
    write_manifest(out, manifest)
    print("segments:", {name: entry["segments"] for name, entry in manifest["algorithms"].items()})


def make_inpaint(out, size=64):
    """OpenCV's inpainting, radius 3 as shap calls it, of a half, of a rectangle and of all but a rectangle."""
    os.makedirs(out, exist_ok=True)
    picture = pictures.centre_crop(pictures.photo("cat"), 90, size, size, Image.BICUBIC)
    masks = np.zeros((3, size, size), np.uint8)
    masks[0, :, : size // 2] = masks[1, 16:40, 20:52] = masks[2] = 1
    masks[2, 24:40, 24:40] = 0
    save(out, "picture.npy", picture)
    save(out, "masks.npy", masks)
    for name, flag in (("telea", cv2.INPAINT_TELEA), ("ns", cv2.INPAINT_NS)):
        save(out, f"{name}.npy", np.stack([cv2.inpaint(picture, mask, 3, flag) for mask in masks]))
    write_manifest(out, {"radius": 3, "opencv": cv2.__version__, "masks": "1 is filled in"})


def main(networks, out):
    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    classifier = Classifier(os.path.join(networks, "resnet"))
    make_lime(classifier, os.path.join(out, "lime"))
    make_shap(classifier, os.path.join(out, "shap"))
    make_segments(os.path.join(out, "segments"))
    make_inpaint(os.path.join(out, "inpaint"))


if __name__ == "__main__":
    main(*sys.argv[1:])
