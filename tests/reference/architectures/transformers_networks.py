"""Image classifiers of Hugging Face's transformers at small width, as `optimum` exports them: every axis of the image is
open. Each entry: a function that builds it, the module that is the default CAM layer (the last value with height and width
before the last pooling or flattening) where one is, the image's side."""
import torch
import transformers

from drawing import CLASSES


class Logits(torch.nn.Module):
    """What optimum exports: pixels in, logits out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values=pixel_values).logits


def built(kind, **options):
    def build():
        config = getattr(transformers, f"{kind}Config")(num_labels=CLASSES, attn_implementation="eager", **options)
        return Logits(getattr(transformers, f"{kind}ForImageClassification")(config))
    return build


SWIN = dict(embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, image_size=64)
VIT = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=64, patch_size=16)
BUILD = {
    "resnet": (built("ResNet", embedding_size=16, hidden_sizes=[32, 48], depths=[1, 2]), "model.resnet.encoder.stages.1", 64),
    # Its last pooling is a window of as many places as it has channels, which reaches over the end.
    "efficientnet": (built("EfficientNet", width_coefficient=0.2, depth_coefficient=0.5, hidden_dim=256, image_size=64),
                     "model.efficientnet.encoder.top_activation", 64),
    "mobilenet_v2": (built("MobileNetV2", depth_multiplier=0.2, min_depth=4, image_size=64, finegrained_output=False),
                     "model.mobilenet_v2.conv_1x1", 64),
    "regnet": (built("RegNet", embedding_size=16, hidden_sizes=[16, 32], depths=[1, 2], groups_width=8),
               "model.regnet.encoder.stages.1", 64),
    "mobilevit": (built("MobileViT", hidden_sizes=[24, 32, 40], neck_hidden_sizes=[8, 8, 16, 24, 32, 40, 64], image_size=64,
                        num_attention_heads=2), "model.mobilevit.conv_1x1_exp", 64),
    "poolformer": (built("PoolFormer", depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32]), "model.norm", 64),
    # Tokens are pooled, which have no height and width; no module returns the last value that has them.
    "swin": (built("Swin", **SWIN), None, 64),
    "swinv2": (built("Swinv2", **SWIN), None, 64),
    "focalnet": (built("FocalNet", embed_dim=16, depths=[1, 2], image_size=64), None, 64),
    "vit": (built("ViT", **VIT), "model.vit.embeddings.patch_embeddings.projection", 64),
    "dinov2": (built("Dinov2", **VIT), None, 64),
}
