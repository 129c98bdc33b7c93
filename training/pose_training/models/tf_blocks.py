# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Common parts of the networks of tf-pose: TensorFlow's padding, norms, upsampling and names.

States are named like the TensorFlow variables, with `.` for `/`. Hence each module with the name
of a scope has the weight of its convolution and a child `BatchNorm`.
"""
import abc
import warnings
from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import is_scale
from pose_training.models.folding import fold_batch_norm, fold_scale, fuse
from pose_training.models.network import named_outputs, Outputs

EPSILON = 1e-3


def scaled(channels: int, width: float) -> int:
    """Return channels * width rounded down, at least 8."""
    return max(int(channels * width), 8)


def same_padding(size: int, kernel: int, stride: int) -> Tuple[int, int]:
    """Return TensorFlow's SAME padding (before, after) of an axis of `size` cells."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """Convolution with SAME padding: (N, inputs, h, w) to h / stride and w / stride, rounded up.

    The padding depends on the size of the input. In an exported network it is that of the exported
    size, which is correct for every size that the network allows.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1,
                 bias: bool = False):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolved features."""
        (top, bottom), (left, right) = (
            same_padding(*axis) for axis in zip(_sizes(features), self.kernel_size, self.stride))
        if (top, left) == (bottom, right):
            return functional.conv2d(features, self.weight, self.bias, self.stride, (top, left),
                                     groups=self.groups)
        convolve = _padded_convolution
        if torch.onnx.is_in_onnx_export():
            convolve = _ExportedConvolution.apply
        return convolve(features, self.weight, self.bias, self.stride, self.groups,
                        (top, left, bottom, right))


def _sizes(features):
    if not torch.jit.is_tracing():
        return features.shape[2:]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        return [int(size) for size in features.shape[2:]]


def _padded_convolution(features, weight, bias, stride, groups, pads):
    top, left, bottom, right = pads
    padded = functional.pad(features, (left, right, top, bottom))
    return functional.conv2d(padded, weight, bias, stride, groups=groups)


class _ExportedConvolution(torch.autograd.Function):
    """One Conv with uneven padding in ONNX; `pad` would become a dozen operators."""

    @staticmethod
    def forward(ctx, features, weight, bias, stride, groups, pads):
        return _padded_convolution(features, weight, bias, stride, groups, pads)

    @staticmethod
    def symbolic(g, features, weight, bias, stride, groups, pads):
        operands = [features, weight] if bias is None else [features, weight, bias]
        return g.op('Conv', *operands, kernel_shape_i=weight.type().sizes()[2:], pads_i=pads,
                    strides_i=stride, dilations_i=(1, 1), group_i=groups)


class CenteredBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that only centers (beta) and does not scale (no gamma)."""

    def __init__(self, channels: int):
        super().__init__(channels, EPSILON)
        self.register_parameter('weight', None)


class NormedConv2d(SameConv2d):
    """SAME convolution, its norm under the name `BatchNorm`, and an activation.

    Without a norm the convolution has a bias.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1,
                 groups: int = 1, norm: Optional[nn.Module] = None,
                 activation: Optional[nn.Module] = None):
        super().__init__(inputs, outputs, kernel, stride, groups, bias=norm is None)
        self.BatchNorm = norm or nn.Identity()
        self.activation = activation or nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride), rounded up."""
        return self.activation(self.BatchNorm(super().forward(features)))

    def fused(self) -> 'NormedConv2d':
        """Return the convolution with its batch norm folded; a norm of each image is kept."""
        if not isinstance(self.BatchNorm, nn.BatchNorm2d):
            return self
        folded = fold_batch_norm(self, self.BatchNorm)
        folded.BatchNorm = nn.Identity()
        return folded


class SeparableScope(nn.Module):
    """A scope of separable convolutions: NAME_depthwise, nothing between, and NAME_pointwise."""

    def add_separable(self, name: str, inputs: int, outputs: int, kernel: int = 3,
                      stride: int = 1, relu: bool = True) -> None:
        """Add both parts; batch norm, and optionally ReLU, follow the pointwise one."""
        self.add_module(name + '_depthwise', SameConv2d(inputs, inputs, kernel, stride, inputs))
        self.add_module(name + '_pointwise', NormedConv2d(
            inputs, outputs, norm=CenteredBatchNorm2d(outputs),
            activation=nn.ReLU(inplace=True) if relu else None))

    def separable(self, name: str, features: Tensor) -> Tensor:
        """Run both parts."""
        depthwise, pointwise = (getattr(self, name + part) for part in _PARTS)
        return pointwise(depthwise(features))

    def fused(self) -> 'SeparableScope':
        """Fold batch norms, and each 1x1 depthwise part (a scale) into its pointwise part."""
        simple = fuse(self)
        for name, child in list(simple.named_children()):
            if name.endswith(_PARTS[0]) and is_scale(child):
                partner = name[:-len(_PARTS[0])] + _PARTS[1]
                setattr(simple, partner, fold_scale(child, getattr(simple, partner)))
                setattr(simple, name, nn.Identity())
        return simple


_PARTS = ('_depthwise', '_pointwise')


class BranchedScope(SeparableScope, abc.ABC):
    """Stages of a branch L1 (PAFs, if there are any) and a branch L2 (heatmaps).

    Each stage reads the features; all but the first read the maps of the stage before, then them.
    """

    def __init__(self, heatmaps: int, pafs: int, stages: int):
        super().__init__()
        self.stages = range(1, stages + 1)
        self.branches = [(branch, outputs) for branch, outputs in (('L1', pafs), ('L2', heatmaps))
                         if outputs]

    @abc.abstractmethod
    def run_branch(self, stage: int, branch: str, features: Tensor) -> Tensor:
        """Return the maps of one branch."""

    def predict(self, features: Tensor) -> List[Outputs]:
        """Map (N, features, h, w) to the maps of every stage, at the same size."""
        seen, found = features, []
        for stage in self.stages:
            maps = [self.run_branch(stage, branch, seen) for branch, _ in self.branches]
            found.append(named_outputs(heatmaps=maps[-1],
                                       pafs=maps[0] if len(maps) > 1 else None))
            seen = torch.cat([*maps, features], 1)
        return found


class PredictionStages(BranchedScope):
    """The scope `Openpose`; `kernel` is that of all stages but the first, whose kernel is 3."""

    def __init__(self, features: int, heatmaps: int, pafs: int, stages: int, width: float,
                 kernel: int):
        super().__init__(heatmaps, pafs, stages)
        layers = scaled(128, width)
        for stage in self.stages:
            inputs = features + (heatmaps + pafs if stage > 1 else 0)
            before_last = layers if stage > 1 else scaled(512, width)
            for branch, outputs in self.branches:
                self._add_branch(stage, branch, (inputs, layers, layers, layers, before_last,
                                                 outputs), kernel if stage > 1 else 3)

    def _add_branch(self, stage, branch, channels, kernel):
        for layer in range(1, 6):
            self.add_separable(_layer_name(stage, branch, layer), *channels[layer - 1:layer + 1],
                               kernel if layer < 4 else 1, relu=layer < 5)
        # The last norm would give initial maps a variance of 1, unlike all targets. If the
        # variance before it is far below epsilon, the initial maps are near 0.
        last = getattr(self, _layer_name(stage, branch, 5) + _PARTS[1])
        last.weight.data *= .01

    def forward(self, features: Tensor) -> List[Outputs]:
        """See `predict`."""
        return self.predict(features)

    def run_branch(self, stage: int, branch: str, features: Tensor) -> Tensor:
        """Return the maps of one branch."""
        for layer in range(1, 6):
            features = self.separable(_layer_name(stage, branch, layer), features)
        return features


def _layer_name(stage, branch, layer):
    return 'MConv_Stage{}_{}_{}'.format(stage, branch, layer)


class LegacyUpsample(nn.Module):
    """Double the size like TensorFlow 1: bilinear, cell i of the input at cell 2 i."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, 2 h, 2 w)."""
        if torch.onnx.is_in_onnx_export():
            return _ExportedUpsample.apply(features)
        return _upsampled(features)


def _upsampled(features):
    for axis in (2, 3):
        last = features.narrow(axis, features.shape[axis] - 1, 1)
        following = torch.cat([features.narrow(axis, 1, features.shape[axis] - 1), last], axis)
        pairs = torch.stack([features, (features + following) / 2], axis + 1)
        features = pairs.flatten(axis, axis + 1)
    return features


class _ExportedUpsample(torch.autograd.Function):
    """One Resize in ONNX."""

    @staticmethod
    def forward(ctx, features):
        return _upsampled(features)

    @staticmethod
    def symbolic(g, features):
        no_region = g.op('Constant', value_t=torch.tensor([]))
        scales = g.op('Constant', value_t=torch.tensor([1., 1., 2., 2.]))
        return g.op('Resize', features, no_region, scales, mode_s='linear',
                    coordinate_transformation_mode_s='asymmetric')
