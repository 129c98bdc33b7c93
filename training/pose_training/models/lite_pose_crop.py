# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's network of crops: a heatmap per keypoint of one person, on EfficientNet-Lite0.

After Simple Baselines (Xiao et al., arXiv:1804.06208), with lateral additions instead of
transposed convolutions.
"""
from typing import List, Sequence

from torch import Tensor, nn

from pose_training.errors import NetworkError
from pose_training.models.efficientnet_lite import start_head
from pose_training.models.lite_pyramid import check_pyramid, LitePyramid
from pose_training.models.network import check_flag, Outputs
from pose_training.models.registry import card_input, NetworkSpec

_LEVELS = 4  # strides 32, 16, 8, 4


class LitePoseCrop(LitePyramid):
    """A LitePyramid down to stride 4, and the heatmaps."""

    stride = 4

    def __init__(self, heatmaps: int, width: float, neck: Sequence[int], dense: Sequence[bool]):
        super().__init__(width, neck, dense)
        self.head = nn.Conv2d(self.channels, heatmaps, 1)
        start_head(self.head, .001, 0.)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage of `heatmaps`."""
        return [{'heatmaps': self.head(self.features(image))}]


def build(heatmaps: int, width: float = 1., neck: Sequence[int] = (160, 128, 96, 64),
          dense: Sequence[bool] = (False, False, True, True)) -> LitePoseCrop:
    """Build the network; NetworkError for an invalid width or neck."""
    check_pyramid('lite_pose_crop', width, neck, _LEVELS)
    if not isinstance(dense, (list, tuple)) or len(dense) != _LEVELS:
        raise NetworkError('lite_pose_crop: the option `dense` is a list of {} values, not '
                           '{:.40}'.format(_LEVELS, repr(dense)))
    for whole in dense:
        check_flag('lite_pose_crop', 'dense', whole)
    return LitePoseCrop(heatmaps, width, list(neck), list(dense))


NETWORKS = (
    NetworkSpec('lite_pose_crop', build, 'coco_17', {}, card_input(
        192, 256, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3, fit='crop', padding=1.1),
        'EfficientNet-Lite0 with heatmaps at stride 4, for the crop of one person',
        formats=('efficientnet-lite', 'onnx', 'torch'), source='pose_ros', license='Apache-2.0',
        family='heatmap'),
)
