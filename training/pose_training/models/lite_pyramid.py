# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What networks on EfficientNet-Lite0 share: backbone and lateral additions."""
from typing import List, Sequence

from torch import nn, Tensor
from torch.nn import functional

from pose_training.models.efficientnet_lite import (conv_norm, EfficientNetLite, scaled_channels,
                                                    Separable, upsampled)
from pose_training.models.network import check_counts, check_factor, MOST_CHANNELS, PoseNetwork


class LitePyramid(PoseNetwork):
    """Backbone, then per stride from 32 down: addition of its features, one refinement.

    `neck` are the channels at strides 32, 16, 8 and so on; `dense` for each of them: True for a
    refinement by a 3x3 convolution, False for a separable 5x5 one. `width` scales all channels.
    `channels` are those of `features`.
    """

    stride = 8
    size_multiple = 32

    def __init__(self, width: float, neck: Sequence[int],
                 dense: Sequence[bool] = (False, False, True)):
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
        self.channels: int = wide[-1]

    def features(self, image: Tensor) -> Tensor:
        """Map (N, 3, h, w) to (N, channels, h / stride, w / stride)."""
        levels: List[Tensor] = self.trunk(image)[::-1]
        features = self.refine[0](functional.relu6(self.lateral[0](levels[0])))
        for lateral, narrow, refine, level in zip(self.lateral[1:], self.narrow, self.refine[1:],
                                                  levels[1:]):
            features = refine(functional.relu6(lateral(level) + upsampled(narrow(features))))
        return features


def check_pyramid(network: str, width: object, neck: object, levels: int = 3) -> None:
    """Raise NetworkError for an invalid width or neck, which has one value per level."""
    check_factor(network, 'width', width)
    check_counts(network, 'neck', neck, levels, MOST_CHANNELS)
