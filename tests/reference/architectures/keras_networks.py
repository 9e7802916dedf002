"""Keras' architectures at small width. Each entry: a function that builds it from the image's side, the side, and whether
the network itself scales pixels of 0 to 255."""
import contextlib

from keras import applications, layers
from keras.src.applications import convnext, densenet, efficientnet, efficientnet_v2, nasnet, resnet

from drawing import CLASSES


@contextlib.contextmanager
def narrow(width):
    """Within it, layers have `width(c)` channels where the code that builds them says c."""
    saved = {cls: cls.__init__ for cls in (layers.Conv2D, layers.SeparableConv2D, layers.Dense)}

    def narrowed(cls):
        def init(self, *arguments, **kwargs):
            key = "units" if cls is layers.Dense else "filters"
            c, *rest = arguments or (kwargs.pop(key),)
            saved[cls](self, c if c == CLASSES else width(c), *rest, **kwargs)
        return init

    for cls in saved:
        cls.__init__ = narrowed(cls)
    try:
        yield
    finally:
        for cls, init in saved.items():
            cls.__init__ = init


def within(width, build):
    def built(size):
        with narrow(width):
            return build(size)
    return built


def options(size):
    return dict(weights=None, classes=CLASSES, input_shape=(size, size, 3))


def even(k):
    """A width: an even number near a k-th of the channels, at least 4."""
    return lambda c: max(4, 2 * round(c / k / 2))


def given(**widths):
    """A width: the number of channels as it is, but for some."""
    return lambda c: widths.get(f"c{c}", c)


def resnet50(size):
    def stacks(x):
        for i, (filters, blocks, stride) in enumerate([(64, 1, 1), (128, 2, 2), (256, 1, 2), (512, 1, 2)]):
            x = resnet.stack1(x, filters, blocks, stride1=stride, name=f"conv{i + 2}")
        return x
    return resnet.ResNet(stacks, False, True, "resnet50", classifier_activation="softmax", **options(size))


def nasnet_mobile(size):
    return nasnet.NASNet(penultimate_filters=96, num_blocks=1, stem_block_filters=8, skip_reduction=False,
                         filter_multiplier=2, default_size=size, **options(size))


def convnext_tiny(size):
    return convnext.ConvNeXt([1, 1, 2, 1], [16, 24, 32, 48], default_size=size, model_name="convnext_tiny", **options(size))


BUILD = {
    "InceptionV3": (within(even(16), lambda s: applications.InceptionV3(**options(s))), 128, False),
    "ResNet50": (within(lambda c: c // 8, resnet50), 64, False),
    "VGG16": (within(lambda c: 64 if c == 4096 else c // 8, lambda s: applications.VGG16(**options(s))), 64, False),
    "MobileNet": (lambda s: applications.MobileNet(alpha=0.125, **options(s)), 64, False),
    "MobileNetV2": (within(given(c1280=128), lambda s: applications.MobileNetV2(alpha=0.2, **options(s))), 64, False),
    "MobileNetV3Small": (within(given(c1024=96), lambda s: applications.MobileNetV3Small(
        alpha=0.25, **options(s))), 64, True),
    "EfficientNetB0": (lambda s: efficientnet.EfficientNet(
        0.2, 0.5, s, model_name="efficientnetb0", **options(s)), 64, True),
    "EfficientNetV2B0": (within(given(c1280=128), lambda s: efficientnet_v2.EfficientNetV2(
        0.2, 0.4, s, model_name="efficientnetv2-b0", **options(s))), 64, True),
    "DenseNet121": (within(given(c64=16, c128=32, c32=8), lambda s: densenet.DenseNet([2, 3, 3, 2], **options(s))), 64, False),
    "Xception": (within(even(24), lambda s: applications.Xception(**options(s))), 72, False),
    "NASNetMobile": (nasnet_mobile, 64, False),
    "ConvNeXtTiny": (convnext_tiny, 64, True),
}
