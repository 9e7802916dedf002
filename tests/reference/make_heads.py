"""Small networks that end in every kind of head, and what onnxruntime says of one image: the scores before the head
and the probabilities behind it.

usage: make_heads.py OUT_FOLDER
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SIDE = 16
# name: (outputs, opset, operators after the linear layer, head)
CASES = {
    "softmax": (5, 17, [("Softmax", {"axis": -1})], "softmax"),
    "softmax_two": (2, 17, [("Softmax", {"axis": 1})], "softmax"),
    "logsoftmax": (5, 17, [("LogSoftmax", {"axis": -1})], "softmax"),
    "logsoftmax_opset11": (5, 11, [("LogSoftmax", {})], "softmax"),
    "sigmoid": (5, 17, [("Sigmoid", {})], "sigmoid"),
    "sigmoid_two": (2, 17, [("Sigmoid", {})], "sigmoid"),
    "sigmoid_binary": (1, 17, [("Sigmoid", {})], "sigmoid"),
    "sigmoid_reshaped": (5, 17, [("to plane", {}), ("Sigmoid", {}), ("Flatten", {})], "sigmoid"),
    "sigmoid_quantized": (5, 17, [("Sigmoid", {}), ("QuantizeLinear", {}), ("DequantizeLinear", {})], "sigmoid"),
    "raw": (5, 17, [], "softmax"),
    "raw_one": (1, 17, [], "none"),
    "hard_sigmoid": (5, 17, [("HardSigmoid", {})], "none"),
    "softmax_parts": (4, 17, [("to pairs", {}), ("Softmax", {"axis": -1}), ("Flatten", {})], "none"),
    "sigmoids_beside": (4, 17, [("beside", {})], "none"),
    # A log-softmax in the middle of a network: a linear layer reads it.
    "logsoftmax_middle": (5, 17, [("LogSoftmax", {"axis": -1}), ("Gemm", {"transB": 1}), ("Softmax", {"axis": -1})], "softmax"),
}


def build(name, outputs, opset, ends):
    rng = np.random.default_rng(sum(name.encode()))
    constants, nodes = [], []

    def constant(label, values):
        constants.append(numpy_helper.from_array(np.asarray(values), label))
        return label

    def draw(label, *shape, scale):
        return constant(label, (rng.standard_normal(shape) * scale).astype(np.float32))

    def add(op, inputs, **attributes):
        label = f"{op.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [label], name=label, **attributes))
        return label

    conv = add("Conv", ["image", draw("conv.w", 8, 3, 3, 3, scale=0.4), draw("conv.b", 8, scale=0.2)], strides=[2, 2], pads=[1, 1, 1, 1])
    pooled = add("GlobalAveragePool", [add("Relu", [conv])])
    at = add("Flatten", [pooled])
    at = add("Gemm", [at, draw("gemm.w", outputs, 8, scale=2.0), draw("gemm.b", outputs, scale=0.5)], transB=1)
    scores = at
    for i, (op, attributes) in enumerate(ends):
        if op == "to plane":
            at = add("Reshape", [at, constant("plane", np.array([-1, outputs, 1, 1]))])
        elif op == "to pairs":
            at = add("Reshape", [at, constant("pairs", np.array([-1, outputs // 2, 2]))])
        elif op == "beside":
            at = add("Concat", [add("Sigmoid", [at]), add("Softmax", [at], axis=1)], axis=1)
        elif "Linear" in op:
            at = add(op, [at, constant(f"scale{i}", np.float32(1 / 255)), constant(f"zero{i}", np.uint8(0))])
        elif op == "Gemm":
            at = scores = add(op, [at, draw("second.w", outputs, outputs, scale=1.0), draw("second.b", outputs, scale=0.5)], **attributes)
        else:
            at = add(op, [at], **attributes)
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(at, TensorProto.FLOAT, ["N", 2 * outputs if at.startswith("concat") else outputs])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="pellucid")
    onnx.checker.check_model(model, full_check=True)
    return model, scores, at


def run(model, image, names):
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    del extended.graph.output[:]
    extended.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(extended.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(v)[0].ravel().astype(np.float64) for v in session.run(names, {"image": image[None]})]


def main(folder):
    os.makedirs(folder, exist_ok=True)
    image = np.random.default_rng(1).standard_normal((3, SIDE, SIDE)).astype(np.float32)
    np.save(os.path.join(folder, "input.npy"), image[None])
    expected = {}
    for name, (outputs, opset, ends, head) in CASES.items():
        model, scores, output = build(name, outputs, opset, ends)
        with open(os.path.join(folder, f"{name}.onnx"), "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
        logits, final = run(model, image, [scores, output])
        last = [op for op, _ in ends][-1:]
        probabilities = np.exp(final) if last == ["LogSoftmax"] else final
        if name == "sigmoid_quantized":
            # Its quantizer is no part of the head: the probability is the sigmoid's own.
            [probabilities] = run(model, image, [next(n.output[0] for n in model.graph.node if n.op_type == "Sigmoid")])
        if head == "none":
            logits, probabilities = final, None
        elif not ends:
            probabilities = None
        entry = {"head": head, "logits": logits.tolist()}
        entry["probabilities"] = None if probabilities is None else probabilities.tolist()
        expected[name] = entry
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
