# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fold linear modules into the convolution before or after them (inference only)."""
import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def fold_batch_norm(conv: nn.Module, norm: nn.BatchNorm2d) -> nn.Module:
    """Return the (transposed) convolution that equals `norm(conv(x))` with frozen statistics."""
    folded = copy.deepcopy(conv)
    transposed = isinstance(conv, nn.ConvTranspose2d)
    folded.weight, folded.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight,
        norm.bias, transposed)
    return folded


def fold_scale(depthwise: nn.Conv2d, pointwise: nn.Conv2d) -> nn.Conv2d:
    """Return the convolution equal to `pointwise(depthwise(x))`, depthwise 1x1 and bias-free."""
    folded = copy.deepcopy(pointwise)
    scale = depthwise.weight.detach().reshape(1, -1, 1, 1)
    folded.weight = nn.Parameter(pointwise.weight.detach() * scale)
    return folded


def fuse(network: nn.Module) -> nn.Module:
    """Return a copy for inference in which each module that has `fused()` is replaced by it.

    `fused()` returns an equal, simpler module: a batch norm folded into its convolution, parallel
    branches summed. The outermost module is replaced first; its replacement is not fused again.
    """
    copied = copy.deepcopy(network).eval()
    with torch.no_grad():
        _fuse_children(copied)
    return copied


def _fuse_children(module):
    for name, child in list(module.named_children()):
        if hasattr(child, 'fused'):
            setattr(module, name, child.fused())
        else:
            _fuse_children(child)
