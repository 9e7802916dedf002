"""Float ONNX -> int8 ONNX in QDQ form: unsigned 8-bit activations, signed 8-bit weights with one scale a channel.

usage: quantize.py FLOAT.onnx CALIBRATION.npy OUT.onnx
"""
import logging
import sys

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static


class Crops(CalibrationDataReader):
    def __init__(self, path):
        self.images = iter(np.load(path))

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"input": normalise(image)[None]}


def normalise(image):
    """uint8 [H,W,3] -> float32 [3,H,W], as the network was trained."""
    return ((image.astype(np.float32) - np.float32(127)) / np.float32(128)).transpose(2, 0, 1)


def main(source, calibration, out):
    logging.disable(logging.WARNING)  # it advises a pre-processing pass, which would fuse nodes and lose their names
    quantize_static(
        source, out, Crops(calibration),
        quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        per_channel=True,  # one scale per tensor costs several points of accuracy
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={
            # By default the ReLU6 nodes vanish: their clamp hides in the activations' saturation. Keep them, so
            # that the file reads as the network that it is, also where quantizers are skipped.
            "QDQKeepRemovableActivations": True,
            # 8-bit logits have some 90 distinct values an image, with ties among the best: useless to explain.
            "OpTypesToExcludeOutputQuantization": ["Gemm"],
        })


if __name__ == "__main__":
    main(*sys.argv[1:])
