"""The CAM family by pytorch-grad-cam, as raw weighted sums: before its ReLU, its scaling to 0..1 and its enlarging."""
import contextlib
import io

import numpy as np
import torch
from pytorch_grad_cam import EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
from pytorch_grad_cam.ablation_cam import AblationCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

FAMILY = {
    "grad-cam++": GradCAMPlusPlus, "hires-cam": HiResCAM, "layer-cam": LayerCAM, "xgrad-cam": XGradCAM,
    "eigen-cam": EigenCAM, "score-cam": ScoreCAM,
}


def raw(kind, model, layer, x, target):
    """[1,h,w]"""
    kept = []

    class Raw(kind):
        def get_cam_image(self, *args, **kwargs):
            kept.append(super().get_cam_image(*args, **kwargs))
            return kept[-1]

    with contextlib.redirect_stderr(io.StringIO()), Raw(model, [model.get_submodule(layer)]) as cam:  # progress bars
        cam(x, [ClassifierOutputTarget(target)])
    return torch.from_numpy(np.asarray(kept[0], np.float32))


def ablation_cam(model, layer, x, target):
    """w_k = (y - y without channel k) / y, as published: the channel is set to zero.

    pytorch-grad-cam sets it to -1e7 in layers that have negative values, so only the others are checked against it.
    """
    module, kept = model.get_submodule(layer), []
    with torch.no_grad():
        handle = module.register_forward_hook(lambda _, __, out: kept.append(out))
        score = model(x)[0, target]
        handle.remove()
        activation = kept[0]
        channels = activation.shape[1]
        without = activation.repeat(channels, 1, 1, 1)
        without[torch.arange(channels), torch.arange(channels)] = 0
        handle = module.register_forward_hook(lambda *_: without)
        scores = model(x.expand(channels, -1, -1, -1))[:, target]
        handle.remove()
        result = (((score - scores) / score).reshape(1, -1, 1, 1) * activation).sum(1)
    if activation.min() == 0:
        torch.testing.assert_close(result.float(), raw(AblationCAM, model, layer, x, target), rtol=1e-3, atol=1e-4)
    return result
