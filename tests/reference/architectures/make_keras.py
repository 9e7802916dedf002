"""Keras' architectures at small width, exported by tf2onnx with the image's channels last and first, with TensorFlow's
answers.

usage: make_keras.py OUT_FOLDER [NAME...]      (versions: requirements.txt)
"""
import math
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers
from keras.src.layers.convolutional.base_conv import Conv as BaseConv

from drawing import image, images, levels, power_of_two
from fixture import Folder
from keras_networks import BUILD

# Networks that are tested in the oldest and the newest opset that people export, too.
OPSETS = {"MobileNetV2": 13, "ConvNeXtTiny": 17}


def settle(model, name, size, pixels, seed):
    """Seeded weights, as `narrow.settle` has them."""
    rng = np.random.default_rng(seed)
    for layer in model.submodules:
        if isinstance(layer, layers.Normalization):
            continue
        for weight in getattr(layer, "_trainable_weights", []):
            weight.assign(drawn(weight, rng))
    seen = images(rng, 16, size, pixels).transpose(0, 2, 3, 1)
    plain = layers.BatchNormalization.call
    layers.BatchNormalization.call = lambda layer, x, **_: (calibrate(layer, x, rng), plain(layer, x, training=False))[1]
    logits(model, seen)
    layers.BatchNormalization.call = plain
    last = [m for m in model.layers if m.weights][-1]
    kernel, bias = last.weights
    scores = logits(model, seen).numpy()
    kernel.assign(kernel * power_of_two(3 / scores.std(0).mean()))
    bias.assign(bias - logits(model, seen).numpy().mean(0))


def drawn(weight, rng):
    shape, kind = tuple(weight.shape), weight.name.split("/")[-1].split(":")[0]
    if kind == "depthwise_kernel":
        return levels(shape, math.sqrt(2 / np.prod(shape[:2])), rng)
    if kind in ("kernel", "pointwise_kernel"):
        return levels(shape, math.sqrt(2 / np.prod(shape[:-1])), rng)
    if kind == "beta":
        return 0.8 + 0.4 * rng.standard_normal(shape)
    if kind == "bias":
        return 0.2 * rng.standard_normal(shape)
    # Slopes and layer scales.
    return weight.numpy().mean() * rng.uniform(0.5, 1.5, shape)


def calibrate(layer, x, rng):
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance + 1e-3)
    deviation = np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
    if layer.scale:
        layer.gamma.assign(power_of_two(rng.uniform(0.7, 1.8, deviation.shape) / deviation) * deviation)


def logits(model, x):
    """The scores before the softmax that the model ends in."""
    last = model.layers[-1]
    softmax, last.activation = last.activation, keras.activations.linear
    scores = model(x, training=False)
    last.activation = softmax
    return tf.reshape(scores, (len(x), -1))


def default_layer(model):
    """The input of the last pooling or flattening that has more than one place."""
    ends = (layers.GlobalAveragePooling2D, layers.Flatten)
    return [m.input for m in model.layers if isinstance(m, ends) and np.prod(m.input.shape[1:3]) > 1][-1]


def answers(model, x, kept):
    inner = keras.Model(model.input, kept)

    def explained(x):
        with tf.GradientTape() as tape:
            x = tf.constant(x.transpose(0, 2, 3, 1))
            tape.watch(x)
            scores = logits(model, x)
            top = tf.reduce_max(scores[0])
        return scores[0].numpy(), tape.gradient(top, x).numpy()[0].transpose(2, 0, 1)

    scores, gradient = explained(x)
    rng = np.random.default_rng(1)
    for _ in range(3):
        moved = (x * (1 + 3e-7 * rng.standard_normal(x.shape))).astype(np.float32)
        if np.linalg.norm(explained(moved)[1] - gradient) > 3e-4 * np.linalg.norm(gradient):
            raise ValueError("the image is on a kink")
    return scores, gradient, inner(x.transpose(0, 2, 3, 1)).numpy()[0].transpose(2, 0, 1)


def settled(name):
    build, size, pixels = BUILD[name]
    for seed in range(20):
        keras.backend.clear_session()
        model = build(size)
        settle(model, name, size, pixels, [seed, *name.encode()])
        try:
            return model, answers(model, image(size, pixels), default_layer(model))
        except ValueError as error:
            print(f"{name}, seed {seed}: {error}", flush=True)
    raise ValueError(f"{name}: every seed is on a kink")


def export(model, size, channels_last, opset=15):
    signature = [tf.TensorSpec((None, size, size, 3), tf.float32, name="image")]
    first = None if channels_last else ["image"]
    # Keras hides convolutions of groups in functions for XLA, which tf2onnx cannot open.
    compiled = BaseConv._jit_compiled_convolution_op
    BaseConv._jit_compiled_convolution_op = BaseConv.convolution_op
    converted = tf2onnx.convert.from_keras(model, input_signature=signature, opset=opset, inputs_as_nchw=first)[0]
    BaseConv._jit_compiled_convolution_op = compiled
    return converted


def main(out, *names):
    folder = Folder(os.path.join(out, "keras"))
    for name in names or BUILD:
        _, size, pixels = BUILD[name]
        model, truth = settled(name)
        models = {key: (export(model, size, last), last) for key, last in (("nhwc", True), ("nchw", False))}
        if name in OPSETS:
            models[f"opset{OPSETS[name]}"] = (export(model, size, True, OPSETS[name]), True)
        layer = default_layer(model).name.split("/")[0]
        folder.add(name, size, layer, truth, models, pixels=pixels)
    folder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
