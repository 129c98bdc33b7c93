# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's person detector: anchor-free, one class, strides 8, 16, 32, on EfficientNet-Lite0.

A path down and one up between the strides as in PANet (Liu et al., arXiv:1803.01534), one box and
one score per cell as in FCOS (Tian et al., arXiv:1904.01355).
"""
from typing import List, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.efficientnet_lite import (conv_norm, EfficientNetLite, scaled_channels,
                                                    Separable, start_head, upsampled)
from pose_training.models.network import (check_count, check_factor, MOST_CHANNELS, Outputs,
                                          PoseNetwork)
from pose_training.models.registry import card_input, NetworkSpec

STRIDES = (8, 16, 32)


class LitePersonDetector(PoseNetwork):
    """Backbone, two paths between its strides, towers for scores and boxes per stride.

    An output (N, 5, h, w) per stride: logarithms of the distances [cells] from the center of the
    cell to left, top, right and bottom of the box, and the logit of the score. `neck` channels.
    """

    stride = 8
    size_multiple = 32

    def __init__(self, width: float, neck: int):
        super().__init__()
        self.trunk = EfficientNetLite(width)
        wide = scaled_channels(neck, width)

        def separable(count):
            return nn.ModuleList(Separable(wide, wide) for _ in range(count))
        self.lateral = nn.ModuleList(conv_norm(channels, wide, activation=None)
                                     for channels in self.trunk.channels[1:])
        self.merge = separable(3)
        self.down = nn.ModuleList(conv_norm(wide, wide, 5, 2, groups=wide, activation=None)
                                  for _ in range(2))
        self.out = separable(2)
        self.score_tower, self.box_tower = separable(3), separable(3)
        self.score = nn.ModuleList(nn.Conv2d(wide, 1, 1) for _ in STRIDES)
        self.box = nn.ModuleList(nn.Conv2d(wide, 4, 1) for _ in STRIDES)
        for score, box in zip(self.score, self.box):
            start_head(score, .01, -4.)
            start_head(box, .01, .7)

    def _pyramid(self, image: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        levels = [lateral(level) for lateral, level in zip(self.lateral, self.trunk(image)[1:])]
        coarse = self.merge[2](functional.relu6(levels[2]))
        middle = self.merge[1](functional.relu6(levels[1] + upsampled(coarse)))
        fine = self.merge[0](functional.relu6(levels[0] + upsampled(middle)))
        middle = self.out[0](functional.relu6(middle + self.down[0](fine)))
        coarse = self.out[1](functional.relu6(coarse + self.down[1](middle)))
        return fine, middle, coarse

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage, an output per stride."""
        found = {}
        for index, features in enumerate(self._pyramid(image)):
            box = self.box[index](self.box_tower[index](features))
            score = self.score[index](self.score_tower[index](features))
            found['stride_{}'.format(STRIDES[index])] = torch.cat([box, score], 1)
        return [found]


def build(stride_8: int, stride_16: int, stride_32: int, width: float = 1.,
          neck: int = 64) -> LitePersonDetector:
    """Build the network; NetworkError for an invalid width. All strides have five channels."""
    check_factor('lite_person_detector', 'width', width)
    check_count('lite_person_detector', 'neck', neck, MOST_CHANNELS)
    return LitePersonDetector(width, neck)


NETWORKS = (
    NetworkSpec('lite_person_detector', build, '', {}, card_input(
        320, 256, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3, fit='letterbox',
        align='top_left', pad_value=114),
        'EfficientNet-Lite0 with boxes of people at strides 8, 16, 32',
        formats=('efficientnet-lite', 'onnx', 'torch'), source='pose_ros', license='Apache-2.0',
        family='boxes'),
)
