"""A model that keeps its weights in a file beside it: python make_files.py FIXTURES"""
import os
import sys

import onnx
from onnx.external_data_helper import convert_model_to_external_data


def main(fixtures):
    folder = os.path.join(fixtures, "files")
    os.makedirs(folder, exist_ok=True)
    data = os.path.join(folder, "model.onnx.data")
    if os.path.exists(data):
        os.remove(data)
    model = onnx.load(os.path.join(fixtures, "heads", "sigmoid.onnx"))
    convert_model_to_external_data(model, location="model.onnx.data", size_threshold=0)
    onnx.save_model(model, os.path.join(folder, "model.onnx"))


main(sys.argv[1])
