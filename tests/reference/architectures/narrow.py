"""torch networks at small width, with weights that keep them alive and that compress well."""
import contextlib
import inspect
import math

import numpy as np
import torch
from torch import nn

from drawing import CLASSES, image, images, levels, power_of_two


@contextlib.contextmanager
def narrow(width):
    """Within it, layers have `width(c)` channels where the code that builds them says c."""
    saved = {cls: cls.__init__ for cls in (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)}

    parameters = inspect.signature(nn.Conv2d.__init__)

    def conv(self, *arguments, **kwargs):
        given = parameters.bind(self, *arguments, **kwargs).arguments
        i, o, groups = (given.get(key, 1) for key in ("in_channels", "out_channels", "groups"))
        given.update(in_channels=width(i), out_channels=width(o), groups=width(i) if groups == i > 1 else groups)
        saved[nn.Conv2d](**given)

    def linear(self, i, o, *rest, **kwargs):
        saved[nn.Linear](self, width(i), width(o), *rest, **kwargs)

    def norm(cls):
        def init(self, c, *rest, **kwargs):
            saved[cls](self, width(c) if isinstance(c, int) else [width(x) for x in c], *rest, **kwargs)
        return init

    def group_norm(self, groups, c, *rest, **kwargs):
        saved[nn.GroupNorm](self, groups, width(c), *rest, **kwargs)

    nn.Conv2d.__init__, nn.Linear.__init__, nn.GroupNorm.__init__ = conv, linear, group_norm
    nn.BatchNorm2d.__init__, nn.LayerNorm.__init__ = norm(nn.BatchNorm2d), norm(nn.LayerNorm)
    try:
        yield
    finally:
        for cls, init in saved.items():
            cls.__init__ = init


def divided(k, *but):
    """A width: channels divided by k, but for the image's, the classes' and those named."""
    def width(c):
        if c in (1, 3, CLASSES, *but):
            return c
        if c % k:
            raise ValueError(f"{c} channels cannot be divided by {k}")
        return c // k
    return width


def settle(model, size, seed, classes=CLASSES):
    """Seeded weights. Batch normalisation takes the statistics of the images that reach it; its slope, by which
    exporters multiply the weights before it, is a power of two."""
    rng = np.random.default_rng(seed)
    model.eval()
    handles = []
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        for key, parameter in own.items():
            parameter.data = torch.from_numpy(drawn(module, key, parameter, rng)).float()
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            slopes = rng.uniform(0.7, 1.8, module.num_features)
            handles.append(module.register_forward_pre_hook(lambda m, x, s=slopes: calibrate(m, x[0], s)))
    seen = torch.from_numpy(images(rng, 16, size))
    with torch.no_grad():
        model(seen)
        for handle in handles:
            handle.remove()
        last = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d)) and m.weight.shape[0] == classes][-1]
        # Scores differ by a few units, and each class gets its turn.
        last.weight *= float(power_of_two(3 / model(seen).std(0).mean().item()))
        last.bias -= model(seen).mean(0)
    return model


def drawn(module, key, parameter, rng):
    shape = tuple(parameter.shape)
    if key == "weight" and isinstance(module, (nn.Conv2d, nn.Linear)):
        return levels(shape, math.sqrt(2 / np.prod(shape[1:])), rng)
    if key == "bias" and isinstance(module, nn.modules.batchnorm._BatchNorm):
        # Were it zero, each normalisation would enlarge rounding by a fifth, and deep networks answer with noise.
        return 0.8 + 0.4 * rng.standard_normal(shape)
    if key == "bias":
        return 0.2 * rng.standard_normal(shape)
    if key == "weight":
        return rng.uniform(0.5, 1.5, shape)
    if key in ("cls_token", "pos_embed", "relative_position_bias_table"):
        return 0.5 * rng.standard_normal(shape)
    # Layer scales, gains and the like: near what they begin with.
    return np.float64(parameter.detach().numpy().mean()) * rng.uniform(0.5, 1.5, shape)


def calibrate(module, x, slopes):
    module.running_mean.copy_(x.mean((0, 2, 3)))
    module.running_var.copy_(x.var((0, 2, 3)) + 1e-3)
    deviation = torch.sqrt(module.running_var + module.eps).numpy()
    if module.weight is not None:
        module.weight.copy_(torch.from_numpy(power_of_two(slopes / deviation) * deviation))


def answers(model, size, layer):
    """Scores, the gradient of the greatest, and the layer, in double precision."""
    model = model.double()
    found = off_the_kinks(lambda x: explained(model, x, layer), image(size))
    model.float()
    return found


def off_the_kinks(explain, x):
    """What `explain` answers of an image: scores, gradient, layer. A gradient that moves with the last bits of the image
    hangs on a kink: then another seed is needed."""
    x = torch.from_numpy(x).double()
    scores, gradient, kept = explain(x)
    rng = np.random.default_rng(1)
    for _ in range(3):
        moved = x * (1 + 3e-7 * torch.from_numpy(rng.standard_normal(x.shape)))
        difference = explain(moved)[1] - gradient
        if np.linalg.norm(difference) > 1e-4 * np.linalg.norm(gradient):
            raise ValueError("the image is on a kink")
    return scores, gradient, kept


def explained(model, x, layer):
    """`layer` is a module's path, or None where no module returns it; "PATH relu" is the value behind the ReLU that the network takes of it as a function,
    "PATH channels-last" a value whose channels are the last axis."""
    path, *then = (layer or "").split() or [None]
    kept = []
    after = {"relu": torch.relu, "channels-last": lambda y: y.permute(0, 3, 1, 2)}
    keep = lambda _, __, y: kept.append(after[then[0]](y.detach()) if then else y.detach().clone())
    handle = path and model.get_submodule(path).register_forward_hook(keep)
    x = x.clone().requires_grad_()
    scores = model(x)
    if handle:
        handle.remove()
    (gradient,) = torch.autograd.grad(scores[0].max(), x)
    return scores.detach().numpy()[0], gradient.numpy()[0], kept[0].numpy()[0] if kept else None
