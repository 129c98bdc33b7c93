# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ResNets of output stride 16, as part detectors use them: the last level is dilated instead.

`slim`: TensorFlow's resnet_v1 (DeeperCut, DeepLabCut up to 2): strides are in the last block of a
level. `torch`: those of timm (DeepLabCut 3): strides are in the first block.
"""
from collections import OrderedDict
from functools import partial
from typing import Tuple

from torch import nn, Tensor
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential
from pose_training.models.group_norm import GroupNorm
from pose_training.models.resnet import ResidualBlock, RESNETS

FORMS = ('slim', 'torch')
_STEM, _WIDTHS = 64, (64, 128, 256, 512)
# (stride, dilation of the first block, dilation of the others) of each level.
_LEVELS = {'slim': ((2, 1, 1), (2, 1, 1), (1, 1, 1), (1, 2, 2)),
           'torch': ((1, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 2))}


def scaled(channels: int, width: float) -> int:
    """Return a number of channels times `width`, at least 1."""
    return max(1, round(channels * width))


class SamePool(nn.MaxPool2d):
    """A 3x3 max-pooling of stride 2 with the padding SAME of TensorFlow, for values from 0 up.

    An even side is padded after its end only: `padding=1` of PyTorch would shift by one pixel.
    """

    def __init__(self):
        super().__init__(3, 2)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, c, h, w) to (N, c, ceil(h / 2), ceil(w / 2))."""
        height, width = features.shape[2:]
        return super().forward(functional.pad(features, (width % 2, 1, height % 2, 1)))


class AtrousResNet(nn.Module):
    """A ResNet of bottlenecks from (N, 3, h, w) to features at stride 16.

    `form` is one of FORMS; `groups` of the group norms, 0 for batch norms. `tap` is the block of
    level 3, counted from 1, whose features are returned, too; 0: none. `width` scales the
    channels; `channels` are those of both outputs.
    """

    def __init__(self, name: str, form: str = 'slim', groups: int = 0, tap: int = 0,
                 width: float = 1.):
        super().__init__()
        norm = partial(GroupNorm, groups) if groups else nn.BatchNorm2d
        pool = SamePool() if form == 'slim' else nn.MaxPool2d(3, 2, padding=1)
        self.root = FusibleSequential(OrderedDict(
            conv1=nn.Conv2d(3, scaled(_STEM, width), 7, 2, padding=3, bias=False),
            bn1=norm(scaled(_STEM, width)), relu=nn.ReLU(inplace=True), maxpool=pool))
        channels, self._tap = scaled(_STEM, width), tap
        self.channels = tuple(4 * scaled(narrow, width) for narrow in _WIDTHS[2:])
        for level, count in enumerate(RESNETS[name][1]):
            stride, first, others = _LEVELS[form][level]
            strided = count - 1 if form == 'slim' else 0
            blocks, narrow = [], scaled(_WIDTHS[level], width)
            for number in range(count):
                steps = (1, narrow, 1), (3, narrow, stride if number == strided else 1), \
                    (1, 4 * narrow, 1)
                blocks.append(ResidualBlock(channels, steps, others if number else first, norm))
                channels = 4 * narrow
            self.add_module('layer{}'.format(level + 1), nn.Sequential(*blocks))

    def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:
        """Return the features of block `tap` (those of level 3 without one) and of the last."""
        features = self.layer2(self.layer1(self.root(image)))
        tapped = features
        for number, block in enumerate(self.layer3, 1):
            features = block(features)
            if number == self._tap or not self._tap:
                tapped = features
        return tapped, self.layer4(features)
