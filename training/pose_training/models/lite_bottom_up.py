# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's network for all people of an image: heatmaps and PAFs, on EfficientNet-Lite0.

Backbone and lateral additions are those of `lite_pose_crop`, down to stride 8; the prediction
stages are those of `repvgg_fpn`. So it can begin with the weights of a trained network of crops.
"""
from typing import List, Sequence

import torch
from torch import Tensor, nn

from pose_training.models.blocks import FusibleSequential
from pose_training.models.efficientnet_lite import scaled_channels, start_head
from pose_training.models.lite_pyramid import check_pyramid, LitePyramid
from pose_training.models.network import (check_count, check_stages, MOST_CHANNELS,
                                          Outputs)
from pose_training.models.registry import card_input, NetworkSpec
from pose_training.models.repvgg_fpn import prediction

MOST_STAGES = 3


class LiteBottomUp(LitePyramid):
    """The features of a LitePyramid, and prediction stages at stride 8.

    `head` are the channels before the maps of a stage.
    """

    def __init__(self, heatmaps: int, pafs: int, stages: int, width: float, neck: Sequence[int],
                 head: int):
        super().__init__(width, neck)
        self._split = [heatmaps, pafs]
        maps = heatmaps + pafs
        self.stages: Sequence[FusibleSequential] = nn.ModuleList(
            prediction(self.channels + (maps if stage else 0), self.channels,
                       scaled_channels(head, width), maps) for stage in range(stages))
        for stage in self.stages:
            start_head(stage[-1], .001, 0.)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        features = self.features(image)
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
    check_pyramid('lite_bottom_up', width, neck)
    check_count('lite_bottom_up', 'head', head, MOST_CHANNELS)
    return LiteBottomUp(heatmaps, pafs, stages, width, list(neck), head)


NETWORKS = (
    NetworkSpec('lite_bottom_up', build, 'coco_18', {}, card_input(
        416, 320, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3),
        'EfficientNet-Lite0 with heatmaps and PAFs at stride 8, one refinement stage',
        formats=('efficientnet-lite', 'onnx'), source='pose_ros', license='Apache-2.0',
        begins_with='lite_pose_crop'),
)
