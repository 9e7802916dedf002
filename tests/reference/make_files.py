"""A model that keeps its weights in a file beside it, and one with two outputs: python make_files.py FIXTURES"""
import os
import sys

import onnx
from onnx import helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data


def with_another_output(model):
    """A second classifier, of three classes, on what the first one reads."""
    graph = model.graph
    gemm = next(node for node in graph.node if node.op_type == "Gemm")
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name in gemm.input[1:]:
        graph.initializer.append(numpy_helper.from_array(known[name][:3] * 2 + 1, f"{name}_colour"))
    graph.node.append(helper.make_node("Gemm", [gemm.input[0], *(f"{name}_colour" for name in gemm.input[1:])], ["colour"], transB=1))
    graph.output.append(helper.make_tensor_value_info("colour", onnx.TensorProto.FLOAT, ["N", 3]))
    return model


def main(fixtures):
    folder = os.path.join(fixtures, "files")
    os.makedirs(folder, exist_ok=True)
    data = os.path.join(folder, "model.onnx.data")
    if os.path.exists(data):
        os.remove(data)
    model = onnx.load(os.path.join(fixtures, "heads", "sigmoid.onnx"))
    convert_model_to_external_data(model, location="model.onnx.data", size_threshold=0)
    onnx.save_model(model, os.path.join(folder, "model.onnx"))
    two = with_another_output(onnx.load(os.path.join(fixtures, "heads", "softmax.onnx")))
    onnx.checker.check_model(two)
    onnx.save_model(two, os.path.join(folder, "two_outputs.onnx"))


main(sys.argv[1])
