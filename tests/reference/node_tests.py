"""The ONNX backend node tests of the operators that Pellucid runs, in the standard's own folder layout:
NAME/model.onnx, NAME/test_data_set_0/input_0.pb ..., output_0.pb ...

The `onnx` package generates them (seeded) rather than ships them. Left out here is only what no inference engine for
float and 8-bit CNNs could run: training mode, types narrower than 8 bits or 8-bit floats, blocked quantization,
sequences and optionals, the variants in which an operator is expanded into others, and pooling over volumes (large).

usage: node_tests.py OUT_FOLDER
"""
import importlib.metadata
import os
import shutil
import sys
import warnings

import onnx
from onnx import TensorProto, numpy_helper

OPERATORS = set("""
    Abs Add And AveragePool BatchNormalization Cast Ceil Celu Clip Col2Im Concat Constant ConstantOfShape Conv
    ConvInteger ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div DynamicQuantizeLinear Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool
    Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean
    MeanVarianceNormalization Min Mish
    Mod Mul Neg Not Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
    Relu
    Reshape Resize Round ScatterND Selu Shape Shrink Sigmoid Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tanh
    ThresholdedRelu Tile Transpose Unsqueeze Upsample Where
""".split())
TYPES = {getattr(TensorProto, name) for name in
         "FLOAT DOUBLE FLOAT16 INT8 UINT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 BOOL".split()}


def wanted(case):
    if case.model is None or case.kind != "node" or len(case.model.graph.node) != 1:
        return False
    graph, node = case.model.graph, case.model.graph.node[0]
    if node.op_type not in OPERATORS or node.domain or "_expanded" in case.name:
        return False
    # Dropout's mode is an input, batch normalization's an attribute: their names say it alike.
    if "train" in case.name or any(a.name == "training_mode" and a.i for a in node.attribute):
        return False
    if any(a.name == "block_size" and a.i for a in node.attribute):
        return False
    if "Pool" in node.op_type and len(graph.input[0].type.tensor_type.shape.dim) > 4:
        return False
    return all(value.type.HasField("tensor_type") and value.type.tensor_type.elem_type in TYPES
               for value in [*graph.input, *graph.output])


def write(case, folder):
    data = os.path.join(folder, case.name, "test_data_set_0")
    os.makedirs(data)
    with open(os.path.join(folder, case.name, "model.onnx"), "wb") as file:
        file.write(case.model.SerializeToString(deterministic=True))
    inputs, outputs = case.data_sets[0]
    for kind, arrays, values in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
        for i, (array, value) in enumerate(zip(arrays, values, strict=True)):
            tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(array, value.name)
            with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                file.write(tensor.SerializeToString())


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tests of other operators overflow on purpose
        from onnx.backend.test.case.node import collect_testcases
        cases = [case for case in collect_testcases(None) if wanted(case)]
    for case in cases:
        write(case, folder)
    for path in importlib.metadata.files("onnx"):
        if path.name == "LICENSE":
            shutil.copyfile(path.locate(), os.path.join(folder, "LICENSE"))
    print(f"{len(cases)} node tests from onnx {onnx.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
