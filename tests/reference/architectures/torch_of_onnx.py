"""Runs an ONNX file node by node with torch's functions, in double precision and differentiably. It knows the operators
of `converters.py` alone, and takes them literally: what it answers is held against onnxruntime by whoever asks it."""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


def tensor(proto):
    values = torch.from_numpy(numpy_helper.to_array(proto).copy())
    return values.double() if values.is_floating_point() else values


def padded(x, attributes, fill):
    """The windows of a convolution or pooling reach over the edges by what `pads` or `auto_pad` says."""
    kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    pads = attributes.get("pads", [0, 0, 0, 0])
    if attributes.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(x.shape[2:], kernel, strides)]
        pads = [t // 2 for t in total] + [t - t // 2 for t in total]
    return F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=fill), strides


def conv(inputs, a):
    x, w, *b = inputs
    x, strides = padded(x, dict(a, kernel_shape=w.shape[2:]), 0)
    return F.conv2d(x, w, *b, stride=strides, groups=a.get("group", 1))


def average_pool(x, a):
    """The mean of those places of a window that are in the image."""
    sums, strides = padded(x, a, 0)
    places, _ = padded(torch.ones_like(x), a, 0)
    return F.avg_pool2d(sums, a["kernel_shape"], strides) / F.avg_pool2d(places, a["kernel_shape"], strides)


def max_pool(x, a):
    x, strides = padded(x, a, -torch.inf)
    return F.max_pool2d(x, a["kernel_shape"], strides)


def flat_softmax(x, a):
    """Until opset 13 all axes from the first named on are one."""
    return x.flatten(a.get("axis", 1)).softmax(-1).reshape(x.shape)


def reshape(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


def sliced(x, starts, ends, axes, steps):
    for start, end, axis, step in zip(*(v.tolist() for v in (starts, ends, axes, steps))):
        x = x.movedim(axis, 0)[start:end:step].movedim(0, axis)
    return x


def pad(x, pads):
    pads = pads.tolist()
    half = len(pads) // 2
    return F.pad(x, [n for pair in reversed(list(zip(pads[:half], pads[half:]))) for n in pair])


def unsqueeze(x, a):
    for axis in sorted(a["axes"]):
        x = x.unsqueeze(axis)
    return x


def gemm(x, w, b, a):
    return x @ (w.T if a.get("transB") else w) + b


def cast(x, a):
    return x.double() if a["to"] in (1, 11) else x.to({6: torch.int32, 7: torch.int64}[a["to"]])


OPERATORS = {
    "Add": lambda i, a: i[0] + i[1],
    "AveragePool": lambda i, a: average_pool(i[0], a),
    "BatchNormalization": lambda i, a: F.batch_norm(i[0], i[3], i[4], i[1], i[2], eps=a.get("epsilon", 1e-5)),
    "Cast": lambda i, a: cast(i[0], a),
    "Ceil": lambda i, a: i[0].ceil(),
    "Clip": lambda i, a: i[0].clamp(i[1], i[2]),
    "Concat": lambda i, a: torch.cat(i, a["axis"]),
    "Constant": lambda i, a: tensor(a["value"]),
    "ConstantOfShape": lambda i, a: torch.full(i[0].tolist(), tensor(a["value"]).item(), dtype=torch.double),
    "Conv": conv,
    "Div": lambda i, a: i[0] / i[1],
    "Dropout": lambda i, a: i[0],
    "Floor": lambda i, a: i[0].floor(),
    "Gemm": lambda i, a: gemm(*i, a),
    "GlobalAveragePool": lambda i, a: i[0].mean((2, 3), keepdim=True),
    "HardSigmoid": lambda i, a: (a["alpha"] * i[0] + a["beta"]).clamp(0, 1),
    "Identity": lambda i, a: i[0],
    "LRN": lambda i, a: F.local_response_norm(i[0], a["size"], a["alpha"], a["beta"], a["bias"]),
    "MatMul": lambda i, a: i[0] @ i[1],
    "Max": lambda i, a: torch.maximum(*i),
    "MaxPool": lambda i, a: max_pool(i[0], a),
    "Mul": lambda i, a: i[0] * i[1],
    "Pad": lambda i, a: pad(*i),
    "ReduceMean": lambda i, a: i[0].mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda i, a: i[0].relu(),
    "Reshape": lambda i, a: reshape(*i),
    "Shape": lambda i, a: torch.tensor(i[0].shape),
    "Slice": lambda i, a: sliced(*i),
    "Softmax": lambda i, a: flat_softmax(i[0], a),
    "Sub": lambda i, a: i[0] - i[1],
    "Sum": lambda i, a: sum(i),
    "Transpose": lambda i, a: i[0].permute(a["perm"]),
    "Unsqueeze": lambda i, a: unsqueeze(i[0], a),
}


def values(model, x):
    """Every value of the file by its name, of images [n,C,H,W], or of what the file's input is."""
    graph = model.graph
    known = {t.name: tensor(t) for t in graph.initializer}
    (name,) = [i.name for i in graph.input if i.name not in known]
    known[name] = x
    for node in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        known[node.output[0]] = OPERATORS[node.op_type]([known[i] for i in node.input], attributes)
    return known


def before_softmax(model):
    """The value that the file's softmax takes, or the file's output."""
    made = {node.output[0]: node for node in model.graph.node}
    name = model.graph.output[0].name
    while made[name].op_type in ("Identity", "Softmax"):
        name = made[name].input[0]
    return name


def explained(model, x, layer, channels_last):
    """Scores [K], the gradient [C,H,W] of the greatest, and a layer [C,h,w]."""
    x = x.clone().requires_grad_()
    known = values(model, x.permute(0, 2, 3, 1) if channels_last else x)
    scores, kept = known[before_softmax(model)].flatten(), known[layer]
    (gradient,) = torch.autograd.grad(scores.max(), x)
    kept = kept.permute(0, 3, 1, 2) if layer.endswith("/NHWC") else kept
    return scores.detach().numpy(), gradient.numpy()[0], np.ascontiguousarray(kept.detach().numpy()[0])
