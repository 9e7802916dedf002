"""Makes architectures in full size, asks Pellucid about each, holds its answers against onnxruntime's, and removes them.

Weights are seeded, as those of the small ones are. Scores may differ by 1e-3, relative; Pellucid's saliency of the top
class is held against central differences of onnxruntime along random directions. What passes is noted in
WORK_FOLDER/passed.txt, so that a run that was broken off goes on where it ended; the note goes when all have passed, or
with another Pellucid. Files lie in WORK_FOLDER only while they are looked at: one takes at most 530 MiB. With --keep they
are left in a folder, as NAME.EXPORT.onnx, for `cargo xtask bench --models FOLDER`; all of a family take 3 GiB.

usage: full.py [--keep FOLDER] [--backend cpu|gpu] torchvision|timm|keras PELLUCID WORK_FOLDER [PART_OF_A_NAME]
"""
import argparse
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import traceback

import numpy as np
import onnx

from drawing import images
from fixture import check, scorer

CLASSES = 1000
SCORES = 1e-3
# Where it is not 224: what each network is made for.
SIDES = {"inception_v3": 299, "InceptionV3": 299, "Xception": 299, "cspdarknet53": 256, "fastvit_t8": 256}
SEEDS = 5
# What the process that classifies with VGG16, the largest, may hold at its peak, in GiB; its file is of 0.52.
PEAK = {"vgg16": 1.2, "VGG16": 1.2}


def torch_files(family, name, side):
    """The files of a network of torchvision or timm by exporter, with whether the image's channels are last."""
    import torch
    from make_torch import EXPORTS, export
    from narrow import settle
    torch.manual_seed(0)
    model = settle(torch_network(family, name), side, [0, *name.encode()], CLASSES)
    for key, options in EXPORTS[family].items():
        yield key, export(model, side, options), False


def torch_network(family, name):
    if family == "timm":
        import timm
        return timm.create_model(name)
    import torchvision
    own = dict(aux_logits=False) if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **own)


def keras_files(name, side, pixels):
    import keras
    from make_keras import export, settle
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))
    settle(model, name, side, pixels, [0, *name.encode()])
    for key, channels_last in (("nhwc", True), ("nchw", False)):
        yield key, export(model, side, channels_last), channels_last


def files(family, name, side, pixels):
    return keras_files(name, side, pixels) if family == "keras" else torch_files(family, name, side)


class Subject:
    """Pellucid with a model file, and the most memory that it took to classify, in GiB."""

    def __init__(self, options, name, model):
        self.options, self.peak = options, 0
        self.paths = {key: os.path.join(options.work, key) for key in ("model.onnx", "image.npy", "saliency.npy")}
        onnx.save(model, self.paths["model.onnx"])
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            shutil.copy(self.paths["model.onnx"], os.path.join(options.keep, f"{name}.onnx"))

    def remove(self):
        for path in self.paths.values():
            if os.path.exists(path):
                os.remove(path)

    def ask(self, x):
        """Scores [K] and the saliency of the top one."""
        np.save(self.paths["image.npy"], x)
        of = [self.paths["image.npy"], "--model", self.paths["model.onnx"], "--backend", self.options.backend, "--json"]
        told, peak = run([self.options.pellucid, "classify", *of, "--top", str(CLASSES)])
        self.peak = max(self.peak, peak)
        classes = sorted(json.loads(told)["classes"], key=lambda c: c["index"])
        scores = np.array([c["logit"] for c in classes])
        target = f"index:{scores.argmax()}"
        run([self.options.pellucid, "explain", *of, "--method", "saliency", "--score", "logit", "--target", target,
             "--output", self.paths["saliency.npy"]])
        return scores, np.load(self.paths["saliency.npy"]).astype(np.float64).reshape(x.shape[1:])


# A small process in between: what one is forked from counts as memory of its own.
MEASURED = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)"""


def run(command):
    """What a command prints, and the most memory that it held, in GiB."""
    done = subprocess.run([sys.executable, "-c", MEASURED, *command], capture_output=True, text=True)
    *told, peak = done.stderr.strip().split("\n")
    if done.returncode:
        raise ValueError("\n".join(told))
    return done.stdout, int(peak) / 2**20


def compare(name, subject, model, channels_last, side, pixels):
    """Raises ValueError where an answer is wrong on several images: one image may lie on a kink."""
    fault = None
    score = scorer(model, channels_last)
    for seed in range(SEEDS):
        x = images(np.random.default_rng(seed), 1, side, pixels)
        answers = subject.ask(x)
        truth = score(x)
        error = np.linalg.norm(answers[0] - truth) / np.linalg.norm(truth)
        if error > SCORES:
            raise ValueError(f"scores differ by {error:.1e}")
        allowed = PEAK.get(name.split(".")[0])
        if allowed and subject.options.backend == "cpu" and subject.peak > allowed:
            raise ValueError(f"{subject.peak:.2f} GiB are held at the peak, more than {allowed}")
        try:
            check(name, score, x, (truth, answers[1], None))
            return f"{error:.0e} {subject.peak:.2f} GiB"
        except ValueError as kink:
            fault = kink
    raise fault


class Passed:
    """The names that passed, of one Pellucid on one backend."""

    def __init__(self, options):
        with open(options.pellucid, "rb") as file:
            self.version = hashlib.sha256(file.read() + options.backend.encode()).hexdigest()
        self.path = os.path.join(options.work, f"passed-{options.family}.txt")
        lines = open(self.path).read().split() if os.path.exists(self.path) else []
        self.names = lines[1:] if lines[:1] == [self.version] else []

    def add(self, name):
        self.names.append(name)
        with open(self.path, "w") as file:
            file.write("\n".join([self.version, *self.names]) + "\n")

    def clear(self):
        if os.path.exists(self.path):
            os.remove(self.path)


def arguments(given):
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", help="a folder in which the models are left")
    parser.add_argument("--backend", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("family", choices=["torchvision", "timm", "keras"])
    parser.add_argument("pellucid", help="the program")
    parser.add_argument("work", help="a folder for what is made")
    parser.add_argument("part", nargs="?", default="", help="a part of FAMILY/NAME")
    return parser.parse_args(given)


def explained(options, name, pixels):
    """What was found of each export of a network, in words. Raises ValueError where an answer is wrong."""
    side, found = SIDES.get(name, 224), []
    for key, model, channels_last in files(options.family, name, side, pixels):
        subject = Subject(options, f"{name}.{key}", model)
        try:
            found.append(f"{key} {compare(f'{name}.{key}', subject, model, channels_last, side, pixels)}")
        finally:
            subject.remove()
    return ", ".join(found)


def main(given):
    options = arguments(given)
    os.makedirs(options.work, exist_ok=True)
    family, networks = options.family, importlib.import_module(f"{options.family}_networks").BUILD
    passed, count, faults = Passed(options), 0, 0
    for name, entry in networks.items():
        if options.part not in f"{family}/{name}":
            continue
        if name in passed.names and not options.keep:
            print(f"test {family}/{name} ... ok before", flush=True)
            count += 1
            continue
        try:
            verdict = f"ok ({explained(options, name, family == 'keras' and entry[2])})"
            passed.add(name)
            count += 1
        except Exception as fault:
            faults += 1
            if not isinstance(fault, ValueError):
                traceback.print_exc()
            verdict = f"FAILED: {fault}"
        print(f"test {family}/{name} ... {verdict}", flush=True)
    if not faults:
        passed.clear()
    # The line that cargo's runner ends with, which the tool that counts tests reads.
    print(f"test result: {'FAILED' if faults else 'ok'}. {count} passed; {faults} failed; 0 ignored")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
