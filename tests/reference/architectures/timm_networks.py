"""timm's architectures at small width. Each entry: a function that builds it, the module that is the default CAM layer (the
last value with height and width before the last pooling or flattening), the image's side."""
from dataclasses import replace

import timm
from timm.models import byobnet, cspnet, efficientnet, ghostnet, nfnet

from drawing import CLASSES
from narrow import divided, narrow


def with_head(build, wide):
    """The widths of heads are constants of the code."""
    with narrow(lambda c: 128 if c == wide else c):
        return build()


def hrnet():
    with narrow(divided(8)):
        return timm.create_model("hrnet_w18_small", num_classes=CLASSES)


def eca_nfnet():
    config = replace(nfnet.model_cfgs["eca_nfnet_l0"], depths=(1, 1, 2, 1), channels=(32, 64, 96, 96), group_size=8, stem_chs=16,
                     num_features=128)
    return nfnet.NormFreeNet(config, CLASSES)


def cspdarknet():
    config = cspnet.model_cfgs["cspdarknet53"]
    stages = replace(config.stages, depth=(1, 1, 2, 1, 1), out_chs=(8, 16, 24, 32, 48))
    return cspnet.CspNet(replace(config, stem=replace(config.stem, out_chs=8), stages=stages), num_classes=CLASSES)


def mobileone():
    blocks = byobnet._mobileone_bcfg(d=(1, 2, 2, 1), wf=(0.25, 0.2, 0.15, 0.1), num_conv_branches=4)
    return byobnet.ByobNet(replace(byobnet.model_cfgs["mobileone_s0"], blocks=blocks, stem_chs=16), CLASSES)


def resnet(name, **options):
    return lambda: timm.create_model(name, num_classes=CLASSES, channels=(16, 24, 32, 48), **options)


def sized(name, **options):
    return lambda: timm.create_model(name, num_classes=CLASSES, **options)


BUILD = {
    "ghostnet_100": (lambda: with_head(lambda: ghostnet._create_ghostnet(
        "ghostnet_100", width=0.2, num_classes=CLASSES), 1280), "blocks", 64),
    "hrnet_w18_small": (hrnet, "final_layer", 64),
    "eca_nfnet_l0": (eca_nfnet, "final_act", 64),
    "res2net50_26w_4s": (resnet("res2net50_26w_4s", layers=[1, 2, 1, 1]), "layer4", 64),
    "skresnet18": (resnet("skresnet18", layers=[1, 2, 1, 1]), "layer4", 64),
    "tf_efficientnet_lite0": (lambda: with_head(lambda: efficientnet._gen_efficientnet_lite(
        "tf_efficientnet_lite0", 0.2, 0.5, num_classes=CLASSES, bn_eps=1e-3, pad_type="same"), 1280), "bn2", 64),
    "rexnet_100": (lambda: with_head(sized("rexnet_100", width_mult=0.2, depth_mult=0.5), 1280), "features", 64),
    "cspdarknet53": (cspdarknet, "stages", 64),
    "mixnet_s": (lambda: with_head(lambda: efficientnet._gen_mixnet_s(
        "mixnet_s", 0.2, num_classes=CLASSES), 1536), "bn2", 64),
    "fastvit_t8": (sized("fastvit_t8", layers=(1, 1, 2, 1), embed_dims=(8, 16, 32, 64)), "final_conv", 64),
    "convnextv2_atto": (sized("convnextv2_atto", depths=(1, 1, 2, 1), dims=(16, 24, 32, 48)), "stages", 64),
    "resnest14d": (resnet("resnest14d", stem_width=8), "layer4", 64),
    "mobileone_s0": (mobileone, "stages", 64),
    # Tokens have no height and width: the last value that has them is the embedding of patches, or their last merging.
    "deit_tiny_patch16_224": (sized("deit_tiny_patch16_224", img_size=64, embed_dim=32, depth=2, num_heads=2),
                              "patch_embed.proj", 64),
    "swin_tiny_patch4_window7_224": (sized("swin_tiny_patch4_window7_224", img_size=64, window_size=4, embed_dim=16,
                                           depths=(2, 2), num_heads=(2, 4)),
                                     "layers.1.downsample.reduction channels-last", 64),
}
