"""Small networks as Paddle's, Caffe2's, CNTK's and TensorFlow's converters write them (converters.py): onnxruntime's scores,
and torch's gradient of the same nodes, which central differences of onnxruntime confirm.

usage: make_converters.py OUT_FOLDER [NAME...]      (versions: ../requirements.txt)
"""
import os
import sys

from converters import BUILD
from drawing import image
from fixture import Folder
from narrow import off_the_kinks
from torch_of_onnx import explained


def settled(name):
    """The network with the first seed that puts the image off every kink."""
    for seed in range(20):
        model, layer, size, kind = BUILD[name]([seed, *name.encode()])
        last = kind.pop("channels_last", False)
        try:
            truth = off_the_kinks(lambda x: explained(model, x, layer, last), image(size, **kind))
            return model, layer, size, kind, last, truth
        except ValueError as error:
            print(f"{name}, seed {seed}: {error}", flush=True)
    raise ValueError(f"{name}: every seed is on a kink")


def main(out, *names):
    folder = Folder(os.path.join(out, "converters"))
    for name in names or BUILD:
        model, layer, size, kind, last, truth = settled(name)
        folder.add(name, size, layer, truth, {"converter": (model, last)}, **kind)
    folder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
