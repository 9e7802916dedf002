"""torchvision's architectures at small width. Each entry: a function that builds it, the module that is the default CAM
layer (the last value with height and width before the last pooling or flattening), the image's side."""
from torch import nn
from torchvision.models import (VGG, AlexNet, ConvNeXt, DenseNet, EfficientNet, GoogLeNet, Inception3, MNASNet, MobileNetV2,
                                MobileNetV3, RegNet, ResNet, ShuffleNetV2, SqueezeNet, convnext, efficientnet,
                                mobilenetv3, regnet, resnet, vgg)

from drawing import CLASSES
from narrow import divided, narrow


def within(width, build):
    with narrow(width):
        return build()


def vgg16(batch_norm):
    """At this size two by two places are left of seven by seven."""
    def width(c):
        return {512 * 49: 32 * 4, 4096: 64}.get(c) or divided(16)(c)
    model = within(width, lambda: VGG(vgg.make_layers(vgg.cfgs["D"], batch_norm), CLASSES, init_weights=False))
    model.avgpool = nn.AdaptiveAvgPool2d((2, 2))
    return model


def small_alexnet():
    def width(c):
        return {256 * 36: 32 * 4, 4096: 64}.get(c) or divided(8)(c)
    model = within(width, lambda: AlexNet(CLASSES))
    model.avgpool = nn.AdaptiveAvgPool2d((2, 2))
    return model


def small_mobilenet_v2():
    blocks = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 2, 2], [6, 64, 1, 2], [6, 96, 2, 1], [6, 160, 1, 2], [6, 320, 1, 1]]
    width = lambda c: 160 if c == 1280 else c
    return within(width, lambda: MobileNetV2(CLASSES, width_mult=0.2, inverted_residual_setting=blocks))


def small_mobilenet_v3():
    blocks, _ = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.25)
    return MobileNetV3(blocks, 96, CLASSES)


def small_regnet(squeeze):
    blocks = regnet.BlockParams.from_init_params(depth=8, w_0=16, w_a=9.0, w_m=2.0, group_width=8, se_ratio=squeeze)
    return RegNet(blocks, CLASSES, stem_width=8)


def small_efficientnet():
    blocks, _ = efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.2, depth_mult=0.5)
    return EfficientNet(blocks, 0.2, num_classes=CLASSES, last_channel=128)


def small_mnasnet():
    return within(lambda c: 160 if c == 1280 else c, lambda: MNASNet(0.2, CLASSES))


def small_convnext():
    settings = [(16, 24, 1), (24, 32, 1), (32, 48, 2), (48, None, 1)]
    return ConvNeXt([convnext.CNBlockConfig(*s) for s in settings], num_classes=CLASSES)


BUILD = {
    "resnet18": (lambda: within(divided(8), lambda: ResNet(resnet.BasicBlock, [1, 2, 1, 1], CLASSES)), "layer4", 64),
    "resnet50": (lambda: within(divided(8), lambda: ResNet(resnet.Bottleneck, [1, 2, 1, 1], CLASSES)), "layer4", 64),
    "vgg16": (lambda: vgg16(False), "features", 64),
    "vgg16_bn": (lambda: vgg16(True), "features", 64),
    "alexnet": (small_alexnet, "features", 96),
    "inception_v3": (lambda: within(divided(16), lambda: Inception3(
        CLASSES, aux_logits=False, init_weights=False)), "Mixed_7c", 128),
    "googlenet": (lambda: within(divided(8), lambda: GoogLeNet(
        CLASSES, aux_logits=False, init_weights=False)), "inception5b", 64),
    "mobilenet_v2": (small_mobilenet_v2, "features", 64),
    "mobilenet_v3_small": (small_mobilenet_v3, "features", 64),
    "squeezenet1_1": (lambda: within(divided(4), lambda: SqueezeNet("1_1", CLASSES)), "classifier.2", 64),
    "densenet121": (lambda: DenseNet(8, (2, 3, 3, 2), 16, num_classes=CLASSES), "features relu", 64),
    "shufflenet_v2_x1_0": (lambda: ShuffleNetV2([2, 3, 2], [8, 16, 32, 64, 96], CLASSES), "conv5", 64),
    "regnet_x_400mf": (lambda: small_regnet(None), "trunk_output", 64),
    "regnet_y_400mf": (lambda: small_regnet(0.25), "trunk_output", 64),
    "efficientnet_b0": (small_efficientnet, "features", 64),
    "mnasnet1_0": (small_mnasnet, "layers", 64),
    "convnext_tiny": (small_convnext, "features", 64),
}
