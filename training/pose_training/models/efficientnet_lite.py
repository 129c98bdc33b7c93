# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 as a backbone: the first six stages of the published classifier.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite,
Apache-2.0. All convolutions pad symmetrically; the published weights were trained with the SAME
padding of TensorFlow, which places the same filters on a grid one pixel further up and left.
"""
from typing import List, Optional, Type

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential

# (expansion, channels, blocks, stride of the first block, kernel) of each stage.
STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
          (6, 112, 3, 1, 5), (6, 192, 4, 2, 5))
_STEM = 32
_DIVISOR = 8


def scaled_channels(channels: int, width: float) -> int:
    """Return a number of channels times `width`, a multiple of 8, at least 8."""
    if width == 1:
        return channels
    return max(_DIVISOR, int(channels * width / _DIVISOR + .5) * _DIVISOR)


def conv_norm(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
              activation: Optional[Type[nn.Module]] = nn.ReLU6) -> FusibleSequential:
    """Return convolution without bias, batch norm, and the activation if there is one."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs, eps=1e-3, momentum=.03)]
    return FusibleSequential(*layers, *([activation(inplace=True)] if activation else []))


def upsampled(features: Tensor) -> Tensor:
    """Return (N, C, h, w) as (N, C, 2 h, 2 w), each value repeated."""
    return functional.interpolate(features, scale_factor=2., mode='nearest')


class Separable(nn.Sequential):
    """A depthwise convolution, then a 1x1 convolution, each with batch norm and ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5):
        super().__init__(conv_norm(inputs, inputs, kernel, groups=inputs),
                         conv_norm(inputs, outputs))


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, linear 1x1 projection; plus the input if it fits."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int):
        super().__init__()
        wide = inputs * expansion
        self.expand = conv_norm(inputs, wide) if expansion > 1 else nn.Identity()
        self.filter = conv_norm(wide, wide, kernel, stride, groups=wide)
        self.project = conv_norm(wide, outputs, activation=None)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        found = self.project(self.filter(self.expand(features)))
        return features + found if self.residual else found


class EfficientNetLite(nn.Module):
    """Maps (N, 3, h, w) to features of strides 4, 8, 16, 32; `channels` lists their channels.

    `width` scales the channels: 1 is Lite0.
    """

    def __init__(self, width: float = 1.):
        super().__init__()
        inputs = scaled_channels(_STEM, width)
        self.stem = conv_norm(3, inputs, 3, 2)
        self.stages = nn.ModuleList()
        self.channels: List[int] = []
        for index, (expansion, channels, blocks, stride, kernel) in enumerate(STAGES):
            outputs = scaled_channels(channels, width)
            self.stages.append(nn.Sequential(*(
                InvertedResidual(outputs if block else inputs, outputs, expansion, kernel,
                                 1 if block else stride) for block in range(blocks))))
            inputs = outputs
            if index in _ENDS:
                self.channels.append(outputs)

    def forward(self, image: Tensor) -> List[Tensor]:
        """Return the features, the finest first."""
        found, features = [], self.stem(image)
        for index, stage in enumerate(self.stages):
            features = stage(features)
            if index in _ENDS:
                found.append(features)
        return found


# The last stage at each stride: the next one halves the grid, or there is none.
_ENDS = tuple(index for index in range(1, len(STAGES))
              if index + 1 == len(STAGES) or STAGES[index + 1][3] == 2)


def published_names() -> List[tuple]:
    """Return (name here, name in the published classifier) of each convolution and norm.

    Names here are relative to the backbone, without .weight and the like.
    """
    names = [('stem.0', '_conv_stem'), ('stem.1', '_bn0')]
    number = 0
    for stage, (expansion, _, blocks, _, _) in enumerate(STAGES):
        for block in range(blocks):
            here, there = 'stages.{}.{}.'.format(stage, block), '_blocks.{}.'.format(number)
            if expansion > 1:
                names += [(here + 'expand.0', there + '_expand_conv'),
                          (here + 'expand.1', there + '_bn0')]
            names += [(here + 'filter.0', there + '_depthwise_conv'),
                      (here + 'filter.1', there + '_bn1'),
                      (here + 'project.0', there + '_project_conv'),
                      (here + 'project.1', there + '_bn2')]
            number += 1
    return names


@torch.no_grad()
def start_head(layer: nn.Conv2d, deviation: float, bias: float) -> None:
    """Set the weights of a last convolution: normal of a deviation, and one bias."""
    nn.init.normal_(layer.weight, std=deviation)
    nn.init.constant_(layer.bias, bias)
