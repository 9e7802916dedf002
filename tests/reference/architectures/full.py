"""Makes architectures in full size, asks Pellucid about each, holds its answers against onnxruntime's, and removes them.

Weights are seeded, as those of the small ones are. Scores may differ by 1e-3, relative; Pellucid's saliency of the top
class is held against central differences of onnxruntime along random directions. What passes is noted in
WORK_FOLDER/passed.txt, so that a run that was broken off goes on where it ended; the note goes when all have passed, or
with another Pellucid. Files lie in WORK_FOLDER only while they are looked at: one takes at most 530 MiB.

usage: full.py torchvision|timm|keras PELLUCID WORK_FOLDER [PART_OF_A_NAME]
"""
import hashlib
import importlib
import json
import os
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


def ask(pellucid, work, model, x):
    """Scores [K] and the saliency of the top one."""
    paths = {key: os.path.join(work, key) for key in ("model.onnx", "image.npy", "saliency.npy")}
    onnx.save(model, paths["model.onnx"])
    np.save(paths["image.npy"], x)
    try:
        of = [paths["image.npy"], "--model", paths["model.onnx"], "--backend", "cpu", "--json"]
        told = run([pellucid, "classify", *of, "--top", str(CLASSES)])
        classes = sorted(json.loads(told)["classes"], key=lambda c: c["index"])
        scores = np.array([c["logit"] for c in classes])
        target = f"index:{scores.argmax()}"
        run([pellucid, "explain", *of, "--method", "saliency", "--score", "logit", "--target", target,
             "--output", paths["saliency.npy"]])
        return scores, np.load(paths["saliency.npy"]).astype(np.float64).reshape(x.shape[1:])
    finally:
        for path in paths.values():
            if os.path.exists(path):
                os.remove(path)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout


def compare(name, pellucid, work, model, channels_last, side, pixels):
    """Raises ValueError where an answer is wrong on several images: one image may lie on a kink."""
    fault = None
    score = scorer(model, channels_last)
    for seed in range(SEEDS):
        x = images(np.random.default_rng(seed), 1, side, pixels)
        answers = ask(pellucid, work, model, x)
        truth = score(x)
        error = np.linalg.norm(answers[0] - truth) / np.linalg.norm(truth)
        if error > SCORES:
            raise ValueError(f"scores differ by {error:.1e}")
        try:
            check(name, score, x, (truth, answers[1], None))
            return error
        except ValueError as kink:
            fault = kink
    raise fault


class Passed:
    """The names that passed, of one Pellucid."""

    def __init__(self, work, family, pellucid):
        with open(pellucid, "rb") as file:
            self.version = hashlib.sha256(file.read()).hexdigest()
        self.path = os.path.join(work, f"passed-{family}.txt")
        lines = open(self.path).read().split() if os.path.exists(self.path) else []
        self.names = lines[1:] if lines[:1] == [self.version] else []

    def add(self, name):
        self.names.append(name)
        with open(self.path, "w") as file:
            file.write("\n".join([self.version, *self.names]) + "\n")

    def clear(self):
        if os.path.exists(self.path):
            os.remove(self.path)


def main(family, pellucid, work, part=""):
    os.makedirs(work, exist_ok=True)
    networks = importlib.import_module(f"{family}_networks").BUILD
    passed, count, faults = Passed(work, family, pellucid), 0, 0
    for name, entry in networks.items():
        if part not in f"{family}/{name}":
            continue
        if name in passed.names:
            print(f"test {family}/{name} ... ok before", flush=True)
            count += 1
            continue
        side, pixels = SIDES.get(name, 224), family == "keras" and entry[2]
        verdict, found = "ok", []
        try:
            for key, model, channels_last in files(family, name, side, pixels):
                found.append(f"{key} {compare(f'{name}.{key}', pellucid, work, model, channels_last, side, pixels):.0e}")
            passed.add(name)
            count += 1
        except Exception as fault:
            faults += 1
            if not isinstance(fault, ValueError):
                traceback.print_exc()
            verdict = f"FAILED: {fault}"
        print(f"test {family}/{name} ... {verdict} ({', '.join(found)})", flush=True)
    if not faults:
        passed.clear()
    # The line that cargo's runner ends with, which the tool that counts tests reads.
    print(f"test result: {'FAILED' if faults else 'ok'}. {count} passed; {faults} failed; 0 ignored")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
