"""Runs an ONNX graph in torch, node by node, so that autograd can go through it.

Quantizers are straight-through: rounding has gradient 1 where round(x / scale) + zero point lies within the integer
type's range, and 0 where it saturated. Clip has gradient 1 strictly inside its bounds and 0 on them. Integer tensors
are held as floating-point numbers: their values are exact. Only the operators of the int8 test models are here.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


class Quantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        q = torch.round(x / scale) + zero_point  # half to even, as onnxruntime
        ctx.save_for_backward((q >= low) & (q <= high), scale)
        return q.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient):
        inside, scale = ctx.saved_tensors
        return gradient * inside / scale, None, None, None, None


class Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward((x > low) & (x < high))
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient):
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None


def along(x, parameter, axis):
    """A scale or zero point shaped to act along `axis` of x; a single one acts on all of it."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if i == axis % x.dim() else 1 for i in range(x.dim())])


class Network:
    def __init__(self, model, dtype=torch.float32):
        self.nodes, self.dtype = model.graph.node, dtype
        self.constants, self.ranges = {}, {}
        for initializer in model.graph.initializer:
            array = numpy_helper.to_array(initializer)
            if np.issubdtype(array.dtype, np.integer):
                limits = np.iinfo(array.dtype)
                self.ranges[initializer.name] = (limits.min, limits.max)
            # Scales are float32 numbers whatever the precision of the arithmetic.
            self.constants[initializer.name] = torch.from_numpy(array.copy()).to(dtype)

    def run(self, x):
        """Every value of the graph by name; gradients can be asked for any of them."""
        values = dict(self.constants, input=x)
        for node in self.nodes:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = getattr(self, node.op_type)(node, attributes, *inputs)
        return values

    def QuantizeLinear(self, node, attributes, x, scale, zero_point):
        axis = attributes.get("axis", 1)
        return Quantize.apply(x, along(x, scale, axis), along(x, zero_point, axis), *self.ranges[node.input[2]])

    def DequantizeLinear(self, node, attributes, q, scale, zero_point):
        axis = attributes.get("axis", 1)
        return (q - along(q, zero_point, axis)) * along(q, scale, axis)

    def Conv(self, node, attributes, x, weight, bias):
        top, left, bottom, right = attributes["pads"]
        return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, attributes["strides"], 0,
                        attributes["dilations"], attributes["group"])

    def Clip(self, node, attributes, x, low, high):
        return Clip.apply(x, low, high)

    def Add(self, node, attributes, a, b):
        return a + b

    def GlobalAveragePool(self, node, attributes, x):
        return x.mean((2, 3), keepdim=True)

    def ReduceMean(self, node, attributes, x, axes):
        return x.mean([int(axis) for axis in axes], keepdim=bool(attributes.get("keepdims", 1)))

    def Reshape(self, node, attributes, x, shape):
        return x.reshape([int(extent) for extent in shape])

    def Flatten(self, node, attributes, x):
        return x.flatten(attributes["axis"])

    def Gemm(self, node, attributes, x, weight, bias):
        return F.linear(x, weight if attributes.get("transB") else weight.T, bias)
