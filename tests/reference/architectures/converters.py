"""Small networks, node by node as converters other than torch's and tf2onnx's of today write them: what stands in a
constant, how padding is computed, what follows a pooling. The patterns are those of files that these converters wrote;
weights are seeded. Each function gives the model, its default layer (the last value with height and width before the
last pooling or flattening), the image's side, and how the image goes in."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from drawing import CLASSES, levels

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Writer:
    """Collects the nodes and constants of a file. Constants are initializers, or with `as_nodes` Constant nodes."""

    def __init__(self, seed, as_nodes=False):
        self.rng, self.as_nodes = np.random.default_rng(seed), as_nodes
        self.nodes, self.initializers = [], []

    def node(self, operator, inputs, output, **attributes):
        """Writes a node, and gives the name of its output."""
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def constant(self, name, values):
        """Writes a constant. Floats are float32."""
        values = np.asarray(values)
        values = values.astype(np.float32) if values.dtype.kind == "f" else values
        if self.as_nodes:
            return self.node("Constant", [], name, value=numpy_helper.from_array(values))
        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def weights(self, name, *shape):
        """He et al.'s deviation, so that values keep their size."""
        fan_in = np.prod(shape[1:]) if len(shape) == 4 else shape[-1]
        return self.constant(name, levels(shape, np.sqrt(2 / fan_in), self.rng))

    def spread(self, name, low, high, *shape):
        return self.constant(name, self.rng.uniform(low, high, shape))

    def norm(self, x, name, channels, **attributes):
        """A batch normalisation."""
        ranges = {"scale": (0.7, 1.5), "offset": (0.0, 0.8), "mean": (-0.2, 0.2), "variance": (0.5, 1.5)}
        parameters = [self.spread(f"{name}_{key}", *ends, channels) for key, ends in ranges.items()]
        return self.node("BatchNormalization", [x, *parameters], f"{name}.out", **attributes)

    def model(self, image, scores, opset, ir_version, producer, as_inputs=False):
        """`image` and `scores` are names with dimensions. With `as_inputs` constants are inputs, too, as IR 3 asks for."""
        inputs = [helper.make_tensor_value_info(image[0], FLOAT, image[1])]
        if as_inputs:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.initializers]
        outputs = [helper.make_tensor_value_info(scores[0], FLOAT, scores[1])]
        graph = helper.make_graph(self.nodes, "graph", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name=producer)
        model.ir_version = ir_version
        return model


def paddle(seed):
    """paddle2onnx, opset 11: every constant a node, hard swish of four operators, biases that a Reshape turns, and a
    flattening that reads the batch from the shape in 32 bits."""
    w = Writer(seed, as_nodes=True)

    def conv(x, name, inner, outer, kernel=1, stride=1, group=1):
        weights = w.weights(f"{name}_weights", outer, inner // group, kernel, kernel)
        return w.node("Conv", [x, weights], f"{name}.tmp_0", dilations=[1, 1], group=group, kernel_shape=[kernel] * 2,
                      pads=[kernel // 2] * 4, strides=[stride] * 2)

    def biased(x, name, inner, outer):
        y = conv(x, name, inner, outer)
        turned = w.node("Reshape", [w.spread(f"{name}_offset", -0.5, 0.5, outer),
                                    w.constant(f"{name}.shape", np.array([1, outer, 1, 1]))], f"{name}.offset")
        return w.node("Add", [y, turned], f"{name}.tmp_1")

    def hard_swish(x, name):
        six, three = w.constant(f"{name}.six", np.float32(6)), w.constant(f"{name}.three", np.float32(3))
        moved = w.node("Add", [x, three], f"{name}.add")
        ends = [w.constant(f"{name}.min", np.float32(0)), w.constant(f"{name}.max", np.float32(6))]
        clipped = w.node("Clip", [moved, *ends], f"{name}.clip")
        return w.node("Div", [w.node("Mul", [x, clipped], f"{name}.mul"), six], f"{name}.tmp_0")

    def block(x, name, inner, wide, outer, stride):
        y = w.norm(conv(x, f"{name}_expand", inner, wide), f"{name}_expand_bn", wide, epsilon=1e-5, momentum=0.9)
        y = hard_swish(y, f"{name}_swish1")
        y = conv(y, f"{name}_depthwise", wide, wide, 5, stride, wide)
        y = hard_swish(w.norm(y, f"{name}_depthwise_bn", wide, epsilon=1e-5, momentum=0.9), f"{name}_swish2")
        gate = w.node("GlobalAveragePool", [y], f"{name}_pool")
        gate = w.node("Relu", [biased(gate, f"{name}_se_1", wide, wide // 4)], f"{name}_relu")
        gate = w.node("HardSigmoid", [biased(gate, f"{name}_se_2", wide // 4, wide)], f"{name}_gate", alpha=0.2, beta=0.5)
        y = conv(w.node("Mul", [y, gate], f"{name}_gated"), f"{name}_linear", wide, outer)
        return w.norm(y, f"{name}_linear_bn", outer, epsilon=1e-5, momentum=0.9)

    x = hard_swish(w.norm(conv("x", "conv1", 3, 8, 3, 2), "conv1_bn", 8, epsilon=1e-5, momentum=0.9), "conv1_swish")
    x = block(x, "conv2", 8, 16, 12, 2)
    x = w.node("Add", [x, block(x, "conv3", 12, 24, 12, 1)], "elementwise_add_0")
    layer = hard_swish(conv(x, "conv_last", 12, 32), "hardswish_last")
    pooled = w.node("MaxPool", [layer], "pool2d_9.tmp_0", ceil_mode=0, kernel_shape=[2, 2], pads=[0] * 4, strides=[2, 2])
    pooled = w.node("GlobalAveragePool", [pooled], "pool2d_10.tmp_0")
    shape = w.node("Cast", [w.node("Shape", [pooled], "Shape@0")], "shape_0.tmp_0", to=TensorProto.INT32)
    ends = [w.constant(f"Constant@{i}", np.array([n])) for i, n in enumerate((0, 1, 0, 1))]
    batch = w.node("Slice", [shape, *ends], "shape_0.tmp_0_slice_0")
    size = w.constant("fill_constant_1.tmp_0", np.array([32], np.int32))
    parts = [w.node("Cast", [part], f"Cast@{i}", to=INT64) for i, part in enumerate((batch, size))]
    flat = w.node("Reshape", [pooled, w.node("Concat", parts, "Concat@0", axis=-1)], "reshape2_0.tmp_0")
    product = w.node("MatMul", [flat, w.constant("fc_0.w_0", levels((32, CLASSES), 0.5, w.rng))], "linear_1.tmp_0")
    scores = w.node("Add", [product, w.spread("fc_0.b_0", -0.5, 0.5, CLASSES)], "linear_1.tmp_1")
    w.node("Identity", [w.node("Softmax", [scores], "softmax_0.tmp_0", axis=1)], "save_infer_model/scale_0.tmp_1")
    image = ("x", [-1, 3, "?", "?"])
    return w.model(image, ("save_infer_model/scale_0.tmp_1", [-1, CLASSES]), 11, 7, "PaddlePaddle"), pooled_of(w), 64, {}


def pooled_of(writer):
    """What the last pooling of windows or of all places reads."""
    last = [n for n in writer.nodes if n.op_type in ("GlobalAveragePool", "AveragePool", "MaxPool", "ReduceMean")][-1]
    return last.input[0]


def same(w, x, name, strides, kernel):
    """The padding that TensorFlow calls SAME, computed from the shape in floats."""
    step = lambda op, inputs, out, **a: w.node(op, inputs, f"{name}/{out}", **a)
    fixed = lambda out, *values: w.constant(f"{name}/{out}", np.array(values, np.float32))
    whole = lambda out, *values: w.constant(f"{name}/{out}", np.array(values))
    shape = step("Shape", [x], "shape")
    sizes = step("Slice", [shape, whole("one", 1), whole("three", 3), whole("axis", 0), whole("step", 1)], "sizes")
    sizes = step("Cast", [sizes], "float_sizes", to=FLOAT)
    stride, kernel = fixed("stride", strides), fixed("kernel", kernel)
    steps = step("Sub", [step("Ceil", [step("Div", [sizes, stride], "quotient")], "count"), fixed("unit", 1)], "steps")
    reach = step("Add", [step("Mul", [steps, stride], "last"), kernel], "reach")
    total = step("Max", [step("Sub", [reach, sizes], "missing"), fixed("zero", 0)], "total")
    before = step("Floor", [step("Div", [total, fixed("two", 2)], "half")], "before")
    after, none = step("Sub", [total, before], "after"), fixed("none", 0)
    pads = step("Concat", [none, before, none, none, after, none], "all", axis=0)
    return step("Pad", [x, step("Cast", [pads], "pads", to=INT64)], "padded")


def same_padding(seed):
    """TensorFlow's graph kept literally: channels last, two transposes around every convolution, and the padding of
    each computed from the shape of what it reads."""
    w = Writer(seed)

    def conv(x, name, inner, outer, kernel, stride, group=1):
        padded = same(w, x, f"{name}/pad", stride, kernel)
        first = w.node("Transpose", [padded], f"{name}/NCHW", perm=[0, 3, 1, 2])
        inputs = [first, w.weights(f"{name}/weights", outer, inner // group, kernel, kernel),
                  w.spread(f"{name}/bias", -0.2, 0.5, outer)]
        made = w.node("Conv", inputs, f"{name}/conv", kernel_shape=[kernel] * 2, strides=[stride] * 2, group=group)
        last = w.node("Transpose", [made], f"{name}/back", perm=[0, 2, 3, 1])
        return w.node("Relu", [last], f"{name}/NHWC")

    x = conv("input", "conv1", 3, 8, 3, 2)
    x = conv(x, "depthwise", 8, 8, 3, 1, 8)
    x = w.node("Add", [x, conv(x, "conv2", 8, 8, 5, 1)], "sum")
    x = conv(x, "conv3", 8, 24, 3, 2)
    pooled = w.node("ReduceMean", [x], "pooled", axes=[1, 2], keepdims=0)
    product = w.node("MatMul", [pooled, w.constant("fc/weights", levels((24, CLASSES), 0.5, w.rng))], "fc/product")
    scores = w.node("Add", [product, w.spread("fc/bias", -0.5, 0.5, CLASSES)], "fc/scores")
    w.node("Softmax", [scores], "probabilities")
    image = ("input", ["batch", "height", "width", 3])
    return (w.model(image, ("probabilities", ["batch", CLASSES]), 11, 6, "tf2onnx"), pooled_of(w), 64,
            {"channels_last": True})


def nsfw(seed):
    """open-nsfw as tf2onnx 1.8 wrote it, opset 9: one transpose, normalisations in the weights, a pooling that is padded
    at two sides, two Reshapes, two classes."""
    w = Writer(seed)

    def conv(x, name, inner, outer, kernel=1, stride=1):
        inputs = [x, w.weights(f"{name}_weights_fused_bn", outer, inner, kernel, kernel),
                  w.spread(f"{name}_bias_fused_bn", -0.2, 0.5, outer)]
        pads = dict(auto_pad="NOTSET", pads=[kernel // 2] * 4) if kernel > 1 else {}
        return w.node("Conv", inputs, f"{name}:0", dilations=[1, 1], strides=[stride] * 2, kernel_shape=[kernel] * 2, **pads)

    relu = lambda x, name: w.node("Relu", [x], f"{name}:0")
    x = w.node("Transpose", ["input:0"], "conv_1/Conv2D__7:0", perm=[0, 3, 1, 2])
    x = relu(conv(x, "conv_1", 3, 8, 7, 2), "Relu")
    x = w.node("MaxPool", [x], "max_pooling2d/MaxPool:0", strides=[2, 2], kernel_shape=[3, 3], pads=[0, 0, 1, 1])
    channels = 8
    for stage, (inner, outer, stride) in enumerate(((8, 16, 1), (12, 24, 2))):
        shortcut = conv(x, f"stage{stage}_shortcut", channels, outer, 1, stride)
        y = relu(conv(x, f"stage{stage}_2a", channels, inner, 1, stride), f"Relu_{stage}a")
        y = relu(conv(y, f"stage{stage}_2b", inner, inner, 3), f"Relu_{stage}b")
        y = w.node("Add", [shortcut, conv(y, f"stage{stage}_2c", inner, outer)], f"add_{stage}:0")
        x, channels = relu(y, f"Relu_{stage}"), outer
    x = w.node("AveragePool", [x], "pool/AvgPool:0", strides=[1, 1], kernel_shape=[8, 8])
    x = w.node("Reshape", [x, w.constant("new_shape__650", np.array([-1, 1, 1, 24]))], "pool/AvgPool__437:0")
    x = w.node("Reshape", [x, w.constant("const_fold_opt__652", np.array([-1, 24]))], "Reshape:0")
    x = w.node("MatMul", [x, w.constant("fc_nsfw/MatMul", levels((24, 2), 0.5, w.rng))], "fc_nsfw/MatMul:0")
    x = w.node("Add", [x, w.spread("fc_nsfw/BiasAdd", -0.5, 0.5, 2)], "fc_nsfw/BiasAdd:0")
    w.node("Softmax", [x], "outputs", axis=1)
    return (w.model(("input:0", ["unk__653", 64, 64, 3]), ("outputs", ["unk__654", 2]), 9, 4, "tf2onnx"), pooled_of(w), 64,
            {"channels_last": True})


def cntk(seed):
    """CNTK's network for MNIST, opset 8: initializers are inputs, SAME_UPPER, weights that a Reshape flattens. The last
    pooling leaves places, which are flattened."""
    w = Writer(seed)

    def conv(x, name, inner, outer, pool):
        made = w.node("Conv", [x, w.weights(f"Parameter{name}", outer, inner, 5, 5)], f"Convolution{name}_Output_0",
                      kernel_shape=[5, 5], strides=[1, 1], auto_pad="SAME_UPPER", group=1, dilations=[1, 1])
        bias = w.spread(f"Parameter{name}_bias", -0.2, 0.5, outer, 1, 1)
        made = w.node("Relu", [w.node("Add", [made, bias], f"Plus{name}_Output_0")], f"ReLU{name}_Output_0")
        return w.node("MaxPool", [made], f"Pooling{name}_Output_0", kernel_shape=[pool] * 2, strides=[pool] * 2,
                      pads=[0] * 4, auto_pad="NOTSET")

    x = conv(conv("Input3", "28", 1, 8, 2), "110", 8, 16, 3)
    flat = w.node("Reshape", [x, w.constant("Pooling160_shape", np.array([1, 256]))], "Times212_reshape0")
    weights = w.constant("Parameter193", levels((16, 4, 4, CLASSES), 0.1, w.rng))
    weights = w.node("Reshape", [weights, w.constant("Parameter193_shape", np.array([256, CLASSES]))], "Times212_reshape1")
    product = w.node("MatMul", [flat, weights], "Times212_Output_0")
    w.node("Add", [product, w.spread("Parameter194", -0.5, 0.5, 1, CLASSES)], "Plus214_Output_0")
    image = ("Input3", [1, 1, 28, 28])
    return (w.model(image, ("Plus214_Output_0", [1, CLASSES]), 8, 3, "CNTK", True), x, 28, {"grey": True})


def caffe2(seed):
    """onnx-caffe2, opset 9: initializers are inputs, weights of one value are a ConstantOfShape, normalisation over
    channels, groups, Dropout with a mask, a sum of several, averages that leave out the padding."""
    w = Writer(seed)

    def filled(name, value, *shape):
        w.nodes.insert(0, helper.make_node("ConstantOfShape", [w.constant(f"{name}__SHAPE", np.array(shape))], [name],
                                           value=helper.make_tensor("value", FLOAT, [1], [value])))
        return name

    def conv(x, name, inner, outer, kernel, stride=1, group=1):
        weights, bias = w.weights(f"{name}_w_0", outer, inner // group, kernel, kernel), filled(f"{name}_b_0", 0.02, outer)
        return w.node("Conv", [x, weights, bias], f"{name}_r", group=group, strides=[stride] * 2,
                      pads=[kernel // 2] * 4, kernel_shape=[kernel] * 2)

    def scaled(x, name, channels):
        y = w.norm(x, f"{name}/bn", channels, epsilon=1e-5)
        scale = w.node("Unsqueeze", [w.spread(f"{name}_w_0", 0.7, 1.5, channels)], f"{name}/scale", axes=[1, 2])
        shift = w.node("Unsqueeze", [filled(f"{name}_b_0", 0.02, channels)], f"{name}/shift", axes=[1, 2])
        return w.node("Relu", [w.node("Add", [w.node("Mul", [y, scale], f"{name}/m"), shift], f"{name}/a")], f"{name}/r")

    x = w.node("Relu", [conv("gpu_0/data_0", "gpu_0/conv1", 3, 16, 5, 2)], "r1")
    x = w.node("LRN", [x], "r2", size=5, alpha=0.5, beta=0.75, bias=1.0)
    x = w.node("MaxPool", [x], "r3", strides=[2, 2], pads=[0, 0, 1, 1], kernel_shape=[3, 3])
    y = scaled(conv(x, "gpu_0/conv2", 16, 16, 3, group=2), "gpu_0/scale2", 16)
    y = w.node("Sum", [x, y, conv(y, "gpu_0/conv3", 16, 16, 1)], "r4")
    pooled = w.node("AveragePool", [y], "r5", strides=[2, 2], pads=[1] * 4, kernel_shape=[3, 3])
    narrow = conv(y, "gpu_0/conv4", 16, 16, 3, 2)
    x = scaled(w.node("Concat", [narrow, pooled], "r6", axis=1), "gpu_0/scale5", 32)
    x = w.node("AveragePool", [x], "r7", strides=[1, 1], kernel_shape=[8, 8])
    x = w.node("Reshape", [x, w.constant("OC2_DUMMY_1", np.array([1, 32]))], "r8")
    x = w.node("Gemm", [x, w.weights("gpu_0/fc_w_0", 32, 32), filled("gpu_0/fc_b_0", 0.02, 32)], "r9", transB=1)
    x = w.node("Dropout", [w.node("Relu", [x], "r10")], ["r11", "r12"], ratio=0.5)
    x = w.node("Gemm", [x, w.weights("gpu_0/pred_w_0", CLASSES, 32), filled("gpu_0/pred_b_0", 0.02, CLASSES)], "r13", transB=1)
    w.node("Softmax", [x], "gpu_0/softmax_1")
    image = ("gpu_0/data_0", [1, 3, 64, 64])
    return w.model(image, ("gpu_0/softmax_1", [1, CLASSES]), 9, 3, "onnx-caffe2", True), pooled_of(w), 64, {}


BUILD = {"paddle": paddle, "caffe2": caffe2, "cntk": cntk, "same_padding": same_padding, "nsfw": nsfw}
