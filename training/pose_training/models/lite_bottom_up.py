# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's network for all people of an image: heatmaps and PAFs, on EfficientNet-Lite0.

Backbone and lateral additions are those of `lite_pose_crop`, down to stride 8; the prediction
stages are those of `repvgg_fpn`. So it can begin with the weights of a trained network of crops.
"""
from typing import List, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential
from pose_training.models.efficientnet_lite import (conv_norm, EfficientNetLite,
                                                    scaled_channels, Separable, start_head,
                                                    upsampled)
from pose_training.models.network import (check_count, check_counts, check_factor, check_stages,
                                          MOST_CHANNELS, Outputs, PoseNetwork)
from pose_training.models.registry import card_input, NetworkSpec
from pose_training.models.repvgg_fpn import prediction

MOST_STAGES = 3
_LEVELS = 3  # strides 32, 16, 8


class LiteBottomUp(PoseNetwork):
    """Backbone, lateral additions from stride 32 to 8, prediction stages at stride 8.

    `neck` are the channels at strides 32, 16, 8; `head` those before the maps of a stage. `width`
    scales all channels.
    """

    stride = 8
    size_multiple = 32

    def __init__(self, heatmaps: int, pafs: int, stages: int, width: float, neck: Sequence[int],
                 head: int):
        super().__init__()
        self._split = [heatmaps, pafs]
        self.trunk = EfficientNetLite(width)
        wide = [scaled_channels(channels, width) for channels in neck]
        self.lateral = nn.ModuleList(conv_norm(channels, outputs, activation=None) for
                                     channels, outputs in zip(self.trunk.channels[::-1], wide))
        self.narrow = nn.ModuleList(conv_norm(inputs, outputs, activation=None)
                                    for inputs, outputs in zip(wide, wide[1:]))
        self.refine = nn.ModuleList([*(Separable(channels, channels) for channels in wide[:-1]),
                                     conv_norm(wide[-1], wide[-1], 3)])
        maps = heatmaps + pafs
        self.stages: Sequence[FusibleSequential] = nn.ModuleList(
            prediction(wide[-1] + (maps if stage else 0), wide[-1], scaled_channels(head, width),
                       maps) for stage in range(stages))
        for stage in self.stages:
            start_head(stage[-1], .001, 0.)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        levels = self.trunk(image)[:0:-1]
        features = self.refine[0](functional.relu6(self.lateral[0](levels[0])))
        for lateral, narrow, refine, level in zip(self.lateral[1:], self.narrow, self.refine[1:],
                                                  levels[1:]):
            features = refine(functional.relu6(lateral(level) + upsampled(narrow(features))))
        maps, found = self.stages[0](features), []
        found.append(self._named(maps))
        for stage in self.stages[1:]:
            maps = stage(torch.cat([features, maps], 1))
            found.append(self._named(maps))
        return found

    def _named(self, maps):
        return dict(zip(('heatmaps', 'pafs'), maps.split(self._split, 1)))


def build(heatmaps: int, pafs: int, stages: int = 2, width: float = 1.,
          neck: Sequence[int] = (160, 128, 96), head: int = 128) -> LiteBottomUp:
    """Build the network; NetworkError for an invalid number of stages, width or neck."""
    check_stages('lite_bottom_up', stages, 1, MOST_STAGES)
    check_factor('lite_bottom_up', 'width', width)
    # One value per stride 32, 16, 8.
    check_counts('lite_bottom_up', 'neck', neck, _LEVELS, MOST_CHANNELS)
    check_count('lite_bottom_up', 'head', head, MOST_CHANNELS)
    return LiteBottomUp(heatmaps, pafs, stages, width, list(neck), head)


NETWORKS = (
    NetworkSpec('lite_bottom_up', build, 'coco_18', {}, card_input(
        416, 320, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3),
        'EfficientNet-Lite0 with heatmaps and PAFs at stride 8, one refinement stage',
        formats=('efficientnet-lite', 'onnx'), source='pose_ros', license='Apache-2.0',
        begins_with='lite_pose_crop'),
)
