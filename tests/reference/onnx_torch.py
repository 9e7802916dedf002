"""Runs an ONNX graph in torch, node by node, so that autograd can go through it.

Quantizers are straight-through: rounding has gradient 1 where round(x / scale) + zero point lies within the integer
type's range, and 0 where it saturated. That holds for quantizers inside operators of integers too, and for dynamic ones,
whose scale counts as a constant. Clip has gradient 1 strictly inside its bounds and 0 on them. Integer tensors
are held as floating-point numbers: their values are exact. Only the operators of the quantized test models are here.
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


def padded(x, attributes, kernel, fill=0.0):
    """x with the edges that a window's attributes ask for."""
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    top, left, bottom, right = attributes.get("pads", [0] * 4)
    if auto == "SAME_UPPER":
        strides = attributes.get("strides", [1, 1])
        rest = [max(0, (-(-n // s) - 1) * s + k - n) for n, s, k in zip(x.shape[2:], strides, kernel)]
        (top, left), (bottom, right) = [r // 2 for r in rest], [r - r // 2 for r in rest]
    elif auto not in ("NOTSET", "VALID"):
        raise NotImplementedError(auto)
    return F.pad(x, (left, right, top, bottom), value=fill)


class Network:
    def __init__(self, model, dtype=torch.float32):
        self.nodes, self.dtype, self.input = model.graph.node, dtype, model.graph.input[0].name
        self.margin = 0.5  # least distance of a quantizer's input from a tie of rounding, in steps
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
        values = {**self.constants, self.input: x}
        for node in self.nodes:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            inputs = [values[name] if name else None for name in node.input]
            made = getattr(self, node.op_type)(node, attributes, *inputs)
            values.update(zip(node.output, made if isinstance(made, tuple) else (made,)))
        return values

    def quantize(self, x, scale, zero_point, low, high, saturates=True):
        steps = (x / scale).detach()
        self.margin = min(self.margin, float((0.5 - (steps - steps.round()).abs()).abs().min()))
        q = Quantize.apply(x, scale, zero_point, low if saturates else -np.inf, high if saturates else np.inf)
        return q if saturates else q + (q.clamp(low, high) - q).detach()

    def requantize(self, node, x, scale, zero_point):
        """The result of an operator of integers; zero_point is the node's last input but those of QLinearConv's bias."""
        name = node.input[7] if node.op_type == "QLinearConv" else node.input[1] if node.op_type == "QLinearConcat" else node.input[-1]
        return self.quantize(x, scale, zero_point, *self.ranges[name])

    def QuantizeLinear(self, node, attributes, x, scale, zero_point):
        axis = attributes.get("axis", 1)
        return self.quantize(x, along(x, scale, axis), along(x, zero_point, axis), *self.ranges[node.input[2]])

    def DequantizeLinear(self, node, attributes, q, scale, zero_point=0):
        axis = attributes.get("axis", 1)
        return (q - along(q, torch.as_tensor(zero_point), axis)) * along(q, scale, axis)

    def DynamicQuantizeLinear(self, node, attributes, x):
        low, high = min(0.0, float(x.detach().min())), max(0.0, float(x.detach().max()))
        # In float32, as the standard's types have it.
        scale = torch.tensor(np.float32(np.float32(high - low) / np.float32(255)), dtype=x.dtype)
        zero_point = torch.tensor(np.round(np.clip(-np.float32(low) / np.float32(scale), 0, 255)), dtype=x.dtype)
        # Its range covers every value, so its gradient is straight-through everywhere: also where an end is rounded to 256.
        return self.quantize(x, scale, zero_point, 0, 255, saturates=False), scale, zero_point

    def ConvInteger(self, node, attributes, x, weight, x_zero, w_zero=0):
        return self.Conv(node, attributes, x - x_zero, weight - along(weight, torch.as_tensor(w_zero), 0), None)

    def MatMulInteger(self, node, attributes, a, b, a_zero, b_zero=0):
        return (a - a_zero) @ (b - along(b, torch.as_tensor(b_zero), 1))

    def QLinearConv(self, node, attributes, x, xs, xz, w, ws, wz, ys, yz, bias=None):
        weight = (w - along(w, wz, 0)) * along(w, ws, 0)
        bias = None if bias is None else bias * xs * ws
        return self.requantize(node, self.Conv(node, attributes, (x - xz) * xs, weight, bias), ys, yz)

    def QLinearMatMul(self, node, attributes, a, a_s, az, b, bs, bz, ys, yz):
        product = ((a - az) * a_s) @ ((b - along(b, bz, 1)) * along(b, bs, 1))
        return self.requantize(node, product, ys, yz)

    def QGemm(self, node, attributes, a, a_s, az, b, bs, bz, c, ys=None, yz=None):
        axis = 0 if attributes.get("transB") else 1
        weight = (b - along(b, bz, axis)) * along(b, bs, axis)
        y = F.linear((a - az) * a_s, weight if axis == 0 else weight.T, None if c is None else c * a_s * bs)
        return y if ys is None else self.requantize(node, y, ys, yz)

    def QLinearAdd(self, node, attributes, a, a_s, az, b, bs, bz, ys, yz):
        return self.requantize(node, (a - az) * a_s + (b - bz) * bs, ys, yz)

    def QLinearMul(self, node, attributes, a, a_s, az, b, bs, bz, ys, yz):
        return self.requantize(node, (a - az) * a_s * (b - bz) * bs, ys, yz)

    def QLinearConcat(self, node, attributes, ys, yz, *rest):
        parts = [(x - zero) * scale for x, scale, zero in zip(rest[::3], rest[1::3], rest[2::3])]
        return self.requantize(node, torch.cat(parts, attributes["axis"]), ys, yz)

    def QLinearAveragePool(self, node, attributes, x, xs, xz, ys, yz):
        return self.requantize(node, self.AveragePool(node, attributes, (x - xz) * xs), ys, yz)

    def QLinearGlobalAveragePool(self, node, attributes, x, xs, xz, ys, yz):
        return self.requantize(node, ((x - xz) * xs).mean((2, 3), keepdim=True), ys, yz)

    def QLinearSigmoid(self, node, attributes, x, xs, xz, ys, yz):
        return self.requantize(node, ((x - xz) * xs).sigmoid(), ys, yz)

    def QLinearLeakyRelu(self, node, attributes, x, xs, xz, ys, yz):
        return self.requantize(node, F.leaky_relu((x - xz) * xs, attributes["alpha"]), ys, yz)

    def QLinearSoftmax(self, node, attributes, x, xs, xz, ys, yz):
        return self.requantize(node, ((x - xz) * xs).softmax(attributes.get("axis", -1)), ys, yz)

    def AveragePool(self, node, attributes, x):
        kernel, strides = attributes["kernel_shape"], attributes["strides"]
        sums = F.avg_pool2d(padded(x, attributes, kernel), kernel, strides, divisor_override=1)
        ones = torch.ones_like(x[:1, :1])
        fill = 1.0 if attributes.get("count_include_pad") else 0.0
        return sums / F.avg_pool2d(padded(ones, attributes, kernel, fill), kernel, strides, divisor_override=1)

    def MaxPool(self, node, attributes, x):
        kernel = attributes["kernel_shape"]
        return F.max_pool2d(padded(x, attributes, kernel, -np.inf), kernel, attributes["strides"])

    def Concat(self, node, attributes, *parts):
        return torch.cat(parts, attributes["axis"])

    def Sigmoid(self, node, attributes, x):
        return x.sigmoid()

    def LeakyRelu(self, node, attributes, x):
        return F.leaky_relu(x, attributes["alpha"])

    def Relu(self, node, attributes, x):
        return Clip.apply(x, 0.0, np.inf)

    def Mul(self, node, attributes, a, b):
        return a * b

    def Cast(self, node, attributes, x):
        return x

    def MatMul(self, node, attributes, a, b):
        return a @ b

    def Conv(self, node, attributes, x, weight, bias):
        padded_x = padded(x, attributes, weight.shape[2:])
        return F.conv2d(padded_x, weight, bias, attributes.get("strides", 1), 0, attributes.get("dilations", 1),
                        attributes.get("group", 1))

    def Clip(self, node, attributes, x, low, high):
        return Clip.apply(x, low, high)

    def Add(self, node, attributes, a, b):
        return a + b

    def Pad(self, node, attributes, x, pads, value=0.0):
        # ONNX lists the begins of all axes, then the ends; torch pairs, from the last axis on.
        pads = [int(n) for n in pads]
        pairs = list(zip(pads[:len(pads) // 2], pads[len(pads) // 2:]))
        return F.pad(x, [n for pair in reversed(pairs) for n in pair], value=float(value))

    def Transpose(self, node, attributes, x):
        return x.permute(attributes["perm"])

    def Squeeze(self, node, attributes, x, axes):
        return x.squeeze([int(axis) for axis in axes])

    def Softmax(self, node, attributes, x):
        return x.softmax(attributes.get("axis", -1))

    def GlobalAveragePool(self, node, attributes, x):
        return x.mean((2, 3), keepdim=True)

    def ReduceMean(self, node, attributes, x, axes=None):
        return x.mean([int(axis) for axis in attributes.get("axes", axes)], keepdim=bool(attributes.get("keepdims", 1)))

    def Reshape(self, node, attributes, x, shape):
        return x.reshape([int(extent) or x.shape[axis] for axis, extent in enumerate(shape)])

    def Transpose(self, node, attributes, x):
        return x.permute(*attributes["perm"])

    def Flatten(self, node, attributes, x):
        return x.flatten(attributes["axis"])

    def Gemm(self, node, attributes, x, weight, bias):
        return F.linear(x, weight if attributes.get("transB") else weight.T, bias)
