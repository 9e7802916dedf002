"""EfficientNet-Lite0: checkpoint -> float ONNX.

Batch normalisation is folded into the convolutions in float64. TensorFlow's SAME padding is written as explicit Conv
pads, which are uneven where the stride is 2 (even pads cost several points of accuracy). What is left is
Conv, Clip, Add, GlobalAveragePool, Flatten and Gemm, and the output is the logits.

usage: network.py CHECKPOINT OUT.onnx
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import checkpoint

SIZE = 224
EPSILON = 1e-3
# repeats, kernel, stride of the first, expansion, output channels
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
          (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]


def same_pads(size, kernel, stride):
    """TensorFlow's SAME padding: the odd pixel goes to the bottom and the right."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Builder:
    def __init__(self, weights):
        self.weights, self.unused = weights, set(weights)
        self.nodes, self.initializers = [], []
        self.low = self.constant("relu6_min", np.float32(0))
        self.high = self.constant("relu6_max", np.float32(6))

    def take(self, name):
        self.unused.discard(name)
        return self.weights[name]

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, output, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def folded(self, conv, bn):
        """A convolution's weight and bias with its batch normalisation folded in."""
        weight, gamma, beta, mean, var = (
            self.take(name).astype(np.float64)
            for name in (f"{conv}.weight", f"{bn}.weight", f"{bn}.bias", f"{bn}.running_mean", f"{bn}.running_var"))
        self.unused.discard(f"{bn}.num_batches_tracked")
        scale = gamma / np.sqrt(var + EPSILON)
        return (weight * scale[:, None, None, None]).astype(np.float32), (beta - mean * scale).astype(np.float32)

    def conv(self, x, size, conv, bn, name, stride=1, groups=1, relu6=True):
        """Adds convolution and ReLU6; returns the value and its height (= width)."""
        weight, bias = self.folded(conv, bn)
        kernel = weight.shape[2]
        before, after = same_pads(size, kernel, stride)
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        x = self.node("Conv", inputs, f"{name}_out", name, dilations=[1, 1], group=groups,
                      kernel_shape=[kernel, kernel], pads=[before, before, after, after], strides=[stride, stride])
        if relu6:
            x = self.node("Clip", [x, self.low, self.high], f"{name}_relu6", f"{name}/relu6")
        return x, -(-size // stride)


def build(weights):
    b = Builder(weights)
    x, size = b.conv("input", SIZE, "_conv_stem", "_bn0", "stem/conv", stride=2)
    channels, index = 32, 0
    for repeats, _, first_stride, expansion, out in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            name, key, y = f"block{index}", f"_blocks.{index}", x
            if expansion != 1:
                y, size = b.conv(y, size, f"{key}._expand_conv", f"{key}._bn0", f"{name}/expand")
            y, size = b.conv(y, size, f"{key}._depthwise_conv", f"{key}._bn1", f"{name}/depthwise",
                             stride=stride, groups=channels * expansion)
            y, size = b.conv(y, size, f"{key}._project_conv", f"{key}._bn2", f"{name}/project", relu6=False)
            if stride == 1 and channels == out:
                y = b.node("Add", [y, x], f"{name}/add_out", f"{name}/add")
            x, channels, index = y, out, index + 1
    x, size = b.conv(x, size, "_conv_head", "_bn1", "head/conv")
    x = b.node("GlobalAveragePool", [x], "head/pool_out", "head/pool")
    x = b.node("Flatten", [x], "head/flatten_out", "head/flatten", axis=1)
    fc = [b.constant("head/fc.weight", b.take("_fc.weight")), b.constant("head/fc.bias", b.take("_fc.bias"))]
    b.node("Gemm", [x, *fc], "logits", "head/fc", transB=1)
    if b.unused:
        raise ValueError(f"weights that no node uses: {sorted(b.unused)}")
    graph = helper.make_graph(
        b.nodes, "efficientnet_lite0",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])], b.initializers)
    # Opset 13 and IR 8 are what the quantizer needs at least (per-channel scales) and old runtimes still read.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
                              producer_name="pellucid")
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(checkpoint.load(sys.argv[1])), sys.argv[2])
