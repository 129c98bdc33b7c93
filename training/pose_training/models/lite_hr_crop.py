# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's network of crops with a fine grid throughout: branches that exchange features.

After HRNet (Sun et al., arXiv:1902.09212) and Lite-HRNet (Yu et al., arXiv:2104.06403), with one
residual block of a 5x5 depthwise convolution per branch, and without channel shuffles or weights
that depend on the image: these cost little arithmetic and much time.
"""
from typing import List, Sequence

from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential
from pose_training.models.efficientnet_lite import conv_norm, start_head, upsampled
from pose_training.models.network import (check_count, check_counts, MOST_BLOCKS, Outputs,
                                          PoseNetwork)
from pose_training.models.registry import card_input, NetworkSpec

_STEM, _BRANCHES = 32, 4
_MOST_WIDTH = 256
_FIRST_SCALE = .2
_IMAGENET = {'scale': 1 / 255., 'mean': (.485, .456, .406), 'std': (.229, .224, .225)}


def _conv(inputs, outputs, kernel=1, stride=1, groups=1, active=True) -> FusibleSequential:
    layers = conv_norm(inputs, outputs, kernel, stride, groups, nn.ReLU if active else None)
    if not active and groups == 1:  # a summand: sums of many begin small
        nn.init.constant_(layers[1].weight, _FIRST_SCALE)
    return layers


def _halved(inputs, outputs, active) -> nn.Sequential:
    return nn.Sequential(_conv(inputs, inputs, 3, 2, inputs, False),
                         _conv(inputs, outputs, active=active))


class Stem(nn.Module):
    """Maps (N, 3, h, w) to the two branches of strides 4 and 8."""

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        self.first = _conv(3, _STEM, 3, 2)
        self.second = nn.Sequential(_conv(_STEM, 2 * _STEM), _conv(2 * _STEM, 2 * _STEM, 3, 2,
                                                                   2 * _STEM, False),
                                    _conv(2 * _STEM, _STEM))
        self.fine = nn.Sequential(_conv(_STEM, _STEM, 3, 1, _STEM, False),
                                  _conv(_STEM, channels[0]))
        self.coarse = _halved(_STEM, channels[1], True)

    def forward(self, image: Tensor) -> List[Tensor]:
        """Return the features of the branches, the finest first."""
        features = self.second(self.first(image))
        return [self.fine(features), self.coarse(features)]


class Block(nn.Module):
    """A residual block: 1x1, depthwise 5x5 and linear 1x1 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(_conv(channels, channels),
                                    _conv(channels, channels, 5, 1, channels),
                                    _conv(channels, channels, active=False))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, h, w) to the same shape."""
        return features + self.layers(features)


class Exchange(nn.Module):
    """A block per branch; then every branch gets the sum of all branches, resampled.

    `channels` are those of all branches. With one branch less as input, a new one begins from the
    last of them.
    """

    def __init__(self, channels: Sequence[int], begins: bool):
        super().__init__()
        self.begin = _halved(channels[-2], channels[-1], True) if begins else None
        self.blocks = nn.ModuleList(Block(count) for count in channels)
        self.paths = nn.ModuleList(nn.ModuleList(
            _path(source, target, channels) for source in range(len(channels)))
            for target in range(len(channels)))
        self.outputs = nn.ModuleList(nn.ReLU() for _ in channels)

    def forward(self, branches: Sequence[Tensor]) -> List[Tensor]:
        """Return the features of the branches, the finest first."""
        branches = list(branches)
        if self.begin is not None:
            branches.append(self.begin(branches[-1]))
        branches = [block(features) for block, features in zip(self.blocks, branches)]
        return [output(_sum(target, paths, branches))
                for target, (paths, output) in enumerate(zip(self.paths, self.outputs))]


def _path(source, target, channels):
    if source == target:
        return nn.Identity()
    if source > target:
        return _conv(channels[source], channels[target], active=False)
    inputs = channels[source]
    steps = [_halved(inputs, inputs, True) for _ in range(target - source - 1)]
    return nn.Sequential(*steps, _halved(inputs, channels[target], False))


def _sum(target, paths, branches):
    """Add up to the finest branch step by step: exact for repeated values, and cheaper."""
    total = None
    for source in range(len(branches))[::-1]:
        if total is not None and source >= target:
            total = upsampled(total)
        found = paths[source](branches[source])
        total = found if total is None else total + found
    return total


class Head(nn.Module):
    """From the coarsest branch to the finest: reduce, double, add; then the heatmaps."""

    def __init__(self, channels: Sequence[int], heatmaps: int):
        super().__init__()
        outputs = list(channels[:-1][::-1]) + [channels[0]]
        self.reduce = nn.ModuleList(
            nn.Sequential(_conv(inputs, inputs, 3, 1, inputs, False), _conv(inputs, count))
            for inputs, count in zip(channels[::-1], outputs))
        self.heatmaps = nn.Conv2d(channels[0], heatmaps, 1)
        start_head(self.heatmaps, .001, 0.)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """Return (N, heatmaps, h / 4, w / 4)."""
        features = branches[-1]
        for reduce, finer in zip(self.reduce, branches[-2::-1]):
            features = finer + functional.interpolate(reduce(features), scale_factor=2.,
                                                      mode='bilinear', align_corners=False)
        return self.heatmaps(self.reduce[-1](features))


class LiteHRCrop(PoseNetwork):
    """Stem, exchanges between 2, 3 and 4 branches, head.

    `parts` are the stem and the exchanges, in their order: each maps the branches of the one
    before to its own.
    """

    stride = 4
    size_multiple = 32

    def __init__(self, heatmaps: int, width: int, exchanges: Sequence[int]):
        super().__init__()
        channels = [width << branch for branch in range(_BRANCHES)]
        parts: List[nn.Module] = [Stem(channels)]
        for branches, count in zip((2, 3, 4), exchanges):
            parts += [Exchange(channels[:branches], branches > 2 and not index)
                      for index in range(count)]
        self.parts = nn.ModuleList(parts)
        self.head = Head(channels, heatmaps)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage of `heatmaps`."""
        branches = image
        for part in self.parts:
            branches = part(branches)
        return [{'heatmaps': self.head(branches)}]


def build(heatmaps: int, width: int = 40, exchanges: Sequence[int] = (2, 4, 2)) -> LiteHRCrop:
    """Build the network; NetworkError for an invalid width or numbers of exchanges."""
    check_count('lite_hr_crop', 'width', width, _MOST_WIDTH)
    check_counts('lite_hr_crop', 'exchanges', exchanges, 3, MOST_BLOCKS)
    return LiteHRCrop(heatmaps, width, list(exchanges))


NETWORKS = (
    NetworkSpec('lite_hr_crop', build, 'coco_17', {}, card_input(
        192, 256, color='rgb', fit='crop', padding=1.25, **_IMAGENET),
        'four branches from stride 4 to 32 that exchange features, for the crop of one person',
        formats=('onnx', 'torch'), source='pose_ros', license='Apache-2.0',
        family='heatmap', family_settings={'grid': 'corner'}),
)
