# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions whose gradients are computed in the fastest precision of the CPU.

The backward pass of oneDNN in bfloat16 (PyTorch 2.13) takes 10 to 60 times as long as the forward
pass: for the gradient of the weights, and with a stride of 2 also for that of the input.
"""
import torch
from torch import nn
from torch.nn import functional
from torch.nn.grad import conv2d_input, conv2d_weight


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution in bfloat16 without bias; both gradients as described above."""

    @staticmethod
    def forward(ctx, features, weight, stride, padding):
        features = features.bfloat16()
        ctx.save_for_backward(features, weight)
        ctx.stride, ctx.padding = stride, padding
        with torch.autocast('cpu', enabled=False):
            return functional.conv2d(features, weight.bfloat16(), None, stride, padding, 1,
                                     weight.shape[0])

    @staticmethod
    def backward(ctx, gradient):
        features, weight = ctx.saved_tensors
        options = {'stride': ctx.stride, 'padding': ctx.padding, 'groups': weight.shape[0]}
        exact, of_features, of_weight = gradient.float(), None, None
        with torch.autocast('cpu', enabled=False):
            if ctx.needs_input_grad[0]:
                halved = max(ctx.stride) > 1
                of_features = conv2d_input(
                    features.shape, weight if halved else weight.bfloat16(),
                    exact if halved else gradient.bfloat16(), **options).bfloat16()
            if ctx.needs_input_grad[1]:
                of_weight = conv2d_weight(features.float(), weight.shape, exact, **options)
        return of_features, of_weight, None, None


class _DepthwiseConv2d(nn.Conv2d):
    """The class of convolutions that `speed_up` has found."""

    def _conv_forward(self, input, weight, bias):
        if torch.is_autocast_enabled('cpu') and torch.is_grad_enabled():
            return _Depthwise.apply(input, weight, self.stride, self.padding)
        return super()._conv_forward(input, weight, bias)


def speed_up(network: nn.Module) -> int:
    """Let the depthwise convolutions of a network train fast in bfloat16 on a CPU.

    Returns their number. Outputs and gradients change within the precision of bfloat16.
    """
    found = [layer for layer in network.modules() if type(layer) is nn.Conv2d
             and layer.groups == layer.in_channels == layer.out_channels > 1
             and layer.bias is None and set(layer.dilation) == {1}
             and layer.padding_mode == 'zeros' and max(layer.kernel_size) > 1]
    for layer in found:
        layer.__class__ = _DepthwiseConv2d
    return len(found)
