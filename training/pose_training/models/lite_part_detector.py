# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Part detectors on EfficientNet-Lite0, for CPUs: an animal on a laptop, people on a robot.

Backbone and lateral additions are those of `lite_bottom_up`, whose weights it can begin with.
"""
from typing import List, Sequence

from torch import nn, Tensor

from pose_training.models.efficientnet_lite import conv_norm, scaled_channels, start_head
from pose_training.models.lite_pyramid import check_pyramid, LitePyramid
from pose_training.models.network import check_count, MOST_CHANNELS, Outputs
from pose_training.models.part_detector import PartNetwork
from pose_training.models.registry import card_input, NetworkSpec

_RARE = -3.  # first bias of the score maps: nearly all cells are background


class LitePartDetector(LitePyramid, PartNetwork):
    """The features of a LitePyramid, one convolution of `head` channels, and 1x1 heads."""

    def __init__(self, scores: int, offsets: int, pairwise: int, width: float,
                 neck: Sequence[int], head: int):
        super().__init__(width, neck)
        self.set_pairs(scores, pairwise)
        wide = scaled_channels(head, width)
        self.last = conv_norm(self.channels, wide, 3)
        self.scores = _head(wide, scores, _RARE)
        self.offsets = _head(wide, offsets)
        self.pairwise = _head(wide, pairwise) if pairwise else None

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage."""
        return [self.predicted(self.last(self.features(image)))]


def _head(inputs, outputs, bias=0.):
    layer = nn.Conv2d(inputs, outputs, 1)
    start_head(layer, .001, bias)
    return layer


def build(scores: int, offsets: int, pairwise: int = 0, width: float = 1.,
          neck: Sequence[int] = (160, 128, 96), head: int = 128) -> LitePartDetector:
    """Build the network; NetworkError for an invalid width, neck or head."""
    check_pyramid('lite_part_detector', width, neck)
    check_count('lite_part_detector', 'head', head, MOST_CHANNELS)
    return LitePartDetector(scores, offsets, pairwise, width, list(neck), head)


NETWORKS = tuple(
    NetworkSpec('lite_part_' + name, build, 'coco_17', {}, card_input(
        320, 320, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3),
        'EfficientNet-Lite0 with score maps and location refinement: ' + several,
        formats=('efficientnet-lite', 'onnx'), source='pose_ros', license='Apache-2.0',
        family='part_' + family, begins_with='lite_bottom_up')
    for name, family, several in (('detector', 'locref', 'one person or animal'),
                                  ('pairwise', 'pairwise', 'several people, by pairwise terms')))
