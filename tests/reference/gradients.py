"""Gradient methods by Captum, or by plain autograd where Captum is wrong or has none."""
import contextlib
from unittest import mock

import torch
import torch.nn.functional as F
from captum.attr import (GuidedGradCam, InputXGradient, IntegratedGradients, LayerAttribution, LayerGradCam,
                         Occlusion, Saliency)


class GuidedRelu(torch.autograd.Function):
    """Lets a gradient pass where the value passed strictly within (0, limit) and the gradient is positive."""

    @staticmethod
    def forward(ctx, x, limit):
        ctx.save_for_backward((x > 0) & (x < limit))
        return x.clamp(0, limit)

    @staticmethod
    def backward(ctx, gradient):
        (passed,) = ctx.saved_tensors
        return gradient.clamp(min=0) * passed, None


@contextlib.contextmanager
def guided():
    """Every ReLU and ReLU6 guided, functional or reused ones too.

    Captum's GuidedBackprop hooks nn.ReLU modules: it leaves out nn.ReLU6 and functional ReLUs.
    """
    def relu(x, inplace=False):
        return GuidedRelu.apply(x, float("inf"))

    def relu6(x, inplace=False):
        return GuidedRelu.apply(x, 6.0)

    def hardtanh(x, low=-1.0, high=1.0, inplace=False):  # what nn.ReLU6 calls in some versions
        if (low, high) != (0.0, 6.0):
            raise ValueError("a hardtanh that is no ReLU6")
        return relu6(x)

    with mock.patch.multiple(F, relu=relu, relu6=relu6, hardtanh=hardtanh):
        yield


def input_gradient(model, x, target):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model(x)[:, target].sum(), x)[0]


def guided_backprop(model, x, target):
    with guided():
        return input_gradient(model, x, target)


def saliency(model, x, target):
    return Saliency(model).attribute(x, target, abs=False)


def input_x_gradient(model, x, target):
    return InputXGradient(model).attribute(x, target)


def integrated_gradients(model, x, target, steps=50):
    return IntegratedGradients(model).attribute(x, target=target, n_steps=steps, method="gausslegendre")


def grad_cam(model, layer, x, target):
    """[1,h,w], signed: no ReLU."""
    return LayerGradCam(model, model.get_submodule(layer)).attribute(x, target, relu_attributions=False)[:, 0]


def guided_grad_cam(model, layer, x, target, mode):
    """ReLU'd Grad-CAM, enlarged ("nearest" as Captum, or "bilinear"), times guided backpropagation."""
    cam = grad_cam(model, layer, x, target).relu()[:, None]
    return guided_backprop(model, x, target) * LayerAttribution.interpolate(cam, x.shape[2:], mode)


def guided_matches_captum(model, layer, x, target):
    """On networks whose ReLUs are all modules of their own, Captum's GuidedGradCam must agree."""
    expected = GuidedGradCam(model, model.get_submodule(layer)).attribute(x, target, interpolate_mode="nearest")
    torch.testing.assert_close(guided_grad_cam(model, layer, x, target, "nearest"), expected)


def occlusion(model, x, target, window=8, stride=5):
    """[H,W]: all channels are covered at once, so their maps are the same."""
    result = Occlusion(model).attribute(
        x, target=target, sliding_window_shapes=(3, window, window), strides=(3, stride, stride), baselines=0)
    return result[:, 0]
