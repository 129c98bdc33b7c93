# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's network of crops: a heatmap per keypoint of one person, on EfficientNet-Lite0.

After Simple Baselines (Xiao et al., arXiv:1804.06208), with lateral additions instead of
transposed convolutions.
"""
from typing import List, Sequence

from torch import Tensor, nn
from torch.nn import functional

from pose_training.errors import NetworkError
from pose_training.models.efficientnet_lite import (conv_norm, EfficientNetLite,
                                                    scaled_channels, Separable, start_head,
                                                    upsampled)
from pose_training.models.network import (check_counts, check_factor, check_flag, MOST_CHANNELS,
                                          Outputs, PoseNetwork)
from pose_training.models.registry import card_input, NetworkSpec

_LEVELS = 4  # strides 32, 16, 8, 4


class LitePoseCrop(PoseNetwork):
    """Backbone, then per stride from 32 to 4: addition of its features, one refinement.

    `neck` are the channels at strides 32, 16, 8, 4; `dense` for each of them: True for a
    refinement by a 3x3 convolution, False for a separable 5x5 one. `width` scales all channels.
    """

    stride = 4
    size_multiple = 32

    def __init__(self, heatmaps: int, width: float, neck: Sequence[int], dense: Sequence[bool]):
        super().__init__()
        self.trunk = EfficientNetLite(width)
        wide = [scaled_channels(channels, width) for channels in neck]
        self.lateral = nn.ModuleList(conv_norm(channels, outputs, activation=None) for
                                     channels, outputs in zip(self.trunk.channels[::-1], wide))
        self.narrow = nn.ModuleList(conv_norm(inputs, outputs, activation=None)
                                    for inputs, outputs in zip(wide, wide[1:]))
        self.refine = nn.ModuleList(conv_norm(channels, channels, 3) if whole
                                    else Separable(channels, channels)
                                    for channels, whole in zip(wide, dense))
        self.head = nn.Conv2d(wide[-1], heatmaps, 1)
        start_head(self.head, .001, 0.)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage of `heatmaps`."""
        levels = self.trunk(image)[::-1]
        features = self.refine[0](functional.relu6(self.lateral[0](levels[0])))
        for lateral, narrow, refine, level in zip(self.lateral[1:], self.narrow, self.refine[1:],
                                                  levels[1:]):
            features = refine(functional.relu6(lateral(level) + upsampled(narrow(features))))
        return [{'heatmaps': self.head(features)}]


def build(heatmaps: int, width: float = 1., neck: Sequence[int] = (160, 128, 96, 64),
          dense: Sequence[bool] = (False, False, True, True)) -> LitePoseCrop:
    """Build the network; NetworkError for an invalid width or neck."""
    check_factor('lite_pose_crop', 'width', width)
    # One value per stride 32, 16, 8, 4.
    check_counts('lite_pose_crop', 'neck', neck, _LEVELS, MOST_CHANNELS)
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
