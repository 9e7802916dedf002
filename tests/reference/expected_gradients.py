"""Expected gradients as a plain loop over given draws, so that another engine can repeat them to the bit.

One sample: background b, t in [0,1], noise e: (x + e - b) * grad f(t (x + e) + (1 - t) b). At a layer, its activations
take the place of x + e and b, and the result is summed over channels.
"""
import copy
from unittest import mock

import numpy as np
import shap
import torch
from captum.attr._core.gradient_shap import InputBaselineXGradient


class Draws:
    """As shap.GradientExplainer draws them from `seed`: the background's index, then t; noise from torch."""

    def __init__(self, shape, backgrounds, count, sigma, seed=7):
        self.seed, self.sigma = seed, sigma
        np.random.seed(seed)
        pairs = [(np.random.choice(backgrounds), np.random.uniform()) for _ in range(count)]
        self.indices = np.array([i for i, _ in pairs], np.int64)
        self.t = np.array([t for _, t in pairs], np.float32)
        torch.manual_seed(seed)
        self.noise = np.zeros((count, *shape), np.float32)
        if sigma:
            self.noise = np.stack([(torch.empty(shape).normal_() * sigma).numpy() for _ in range(count)])


def at_input(model, x, background, draws, target):
    """The mean and its standard error, both [1,C,H,W]."""
    x = x + torch.from_numpy(draws.noise).to(x)
    return mean_and_error(model, x, background[draws.indices], draws, target)


def at_layer(model, layer, x, background, draws, target):
    """[1,h,w]: the activations of `layer` are interpolated and put in its place; the noise is left out."""
    module = model.get_submodule(layer)

    def with_hook(hook, inputs):
        handle = module.register_forward_hook(hook)
        try:
            return model(inputs)
        finally:
            handle.remove()

    def activations(inputs):
        kept = []
        with torch.no_grad():
            with_hook(lambda _, __, out: kept.append(out), inputs)
        return kept[0]

    # The input stands for whatever lies before the layer; its values no longer reach the scores.
    inputs = x.expand(len(draws.t), -1, -1, -1)
    b = activations(background)[draws.indices]
    mean, _ = mean_and_error(lambda point: with_hook(lambda *_: point, inputs), activations(x), b, draws, target)
    return mean.sum(1)


def mean_and_error(f, x, b, draws, target):
    t = torch.from_numpy(draws.t).to(x).reshape(-1, 1, 1, 1)
    point = (t * x + (1 - t) * b).requires_grad_()
    samples = (x - b) * torch.autograd.grad(f(point)[:, target].sum(), point)[0]
    return samples.mean(0, keepdim=True), samples.std(0, keepdim=True) / len(draws.t) ** 0.5


def difference_from_shap(model, x, background, draws, target):
    """Relative L2 against shap.GradientExplainer with the same draws (in float32); `target` must be the top class."""
    model, x, background = copy.deepcopy(model).float(), x.float(), background.float()
    explainer = shap.GradientExplainer(model, background, local_smoothing=draws.sigma)
    torch.manual_seed(draws.seed)  # shap seeds numpy alone
    values, ranks = explainer.shap_values(x, nsamples=len(draws.t), ranked_outputs=1, rseed=draws.seed)
    if int(ranks[0, 0]) != target:
        raise ValueError("shap ranks another class first")
    return relative_l2(at_input(model, x, background, draws, target)[0].numpy(), values[..., 0])


def difference_from_captum(model, x, background, draws, target):
    """Relative L2 against the estimator that Captum's GradientShap averages, with our draws in place of its own."""
    noisy = x + torch.from_numpy(draws.noise).to(x)
    with mock.patch("numpy.random.uniform", return_value=draws.t):
        values = InputBaselineXGradient(model).attribute(
            noisy, background[draws.indices], target=target)
    return relative_l2(at_input(model, x, background, draws, target)[0].numpy(), values.mean(0, keepdim=True).numpy())


def relative_l2(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(a))
