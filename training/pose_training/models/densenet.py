# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DenseNet backbones (Huang et al., arXiv:1608.06993) with the state names of torchvision.

The batch norms that read a concatenation cannot be folded for inference: a ReLU is between them
and the next convolution, and other layers also read the layers before.
"""
from collections import OrderedDict
from typing import Sequence, Tuple

import torch
from torch import Tensor, nn

from pose_training.models.blocks import FusibleSequential

# Name -> (channels added by a layer, layers of the four blocks, channels of the stem).
DENSENETS = {
    'densenet121': (32, (6, 12, 24, 16), 64),
    'densenet161': (48, (6, 12, 36, 24), 96),
    'densenet169': (32, (6, 12, 32, 32), 64),
    'densenet201': (32, (6, 12, 48, 32), 64),
}
_BOTTLENECK = 4  # width of a layer's 1x1 convolution over the channels that the layer adds


class DenseBlock(nn.Sequential):
    """Layers that each read the input of the block and the outputs of all layers before."""

    def __init__(self, inputs: int, growth: int, count: int):
        super().__init__(OrderedDict(
            ('denselayer{}'.format(number + 1), _dense_layer(inputs + number * growth, growth))
            for number in range(count)))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, inputs + count * growth, h, w)."""
        for layer in self:
            features = torch.cat([features, layer(features)], 1)
        return features


def densenet_features(growth: int, counts: Sequence[int], stem: int) -> Tuple[FusibleSequential,
                                                                              int]:
    """Return a backbone, and its channels; its stride is 4, doubled between blocks.

    It ends with a batch norm (norm5) without ReLU.
    """
    layers = OrderedDict(conv0=nn.Conv2d(3, stem, 7, 2, padding=3, bias=False),
                         norm0=nn.BatchNorm2d(stem), relu0=nn.ReLU(inplace=True),
                         pool0=nn.MaxPool2d(3, 2, padding=1))
    channels = stem
    for number, count in enumerate(counts, 1):
        if number > 1:
            layers['transition{}'.format(number - 1)] = _transition(channels)
            channels //= 2
        layers['denseblock{}'.format(number)] = DenseBlock(channels, growth, count)
        channels += count * growth
    layers['norm5'] = nn.BatchNorm2d(channels)
    return FusibleSequential(layers), channels


def densenet(name: str) -> Tuple[nn.Sequential, int]:
    """Return one of DENSENETS from (N, 3, h, w) to (N, channels, h / 32, w / 32), and channels."""
    features, channels = densenet_features(*DENSENETS[name])
    return nn.Sequential(OrderedDict(features=features)), channels


def _dense_layer(inputs, growth):
    width = _BOTTLENECK * growth
    return FusibleSequential(OrderedDict(
        norm1=nn.BatchNorm2d(inputs), relu1=nn.ReLU(inplace=True),
        conv1=nn.Conv2d(inputs, width, 1, bias=False),
        norm2=nn.BatchNorm2d(width), relu2=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(width, growth, 3, padding=1, bias=False)))


def _transition(inputs):
    return FusibleSequential(OrderedDict(
        norm=nn.BatchNorm2d(inputs), relu=nn.ReLU(inplace=True),
        conv=nn.Conv2d(inputs, inputs // 2, 1, bias=False), pool=nn.AvgPool2d(2, 2)))
