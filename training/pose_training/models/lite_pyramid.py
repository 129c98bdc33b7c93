# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What networks of stride 8 on EfficientNet-Lite0 share: backbone and lateral additions."""
from typing import List, Sequence

from torch import nn, Tensor
from torch.nn import functional

from pose_training.models.efficientnet_lite import (conv_norm, EfficientNetLite, scaled_channels,
                                                    Separable, upsampled)
from pose_training.models.network import (check_count, check_counts, check_factor, MOST_CHANNELS,
                                          PoseNetwork)

_LEVELS = 3  # strides 32, 16, 8


class LitePyramid(PoseNetwork):
    """Backbone, then lateral additions from stride 32 to 8.

    `neck` are the channels at strides 32, 16, 8; `width` scales all channels. `channels` are
    those of `features`.
    """

    stride = 8
    size_multiple = 32

    def __init__(self, width: float, neck: Sequence[int]):
        super().__init__()
        self.trunk = EfficientNetLite(width)
        wide = [scaled_channels(channels, width) for channels in neck]
        self.lateral = nn.ModuleList(conv_norm(channels, outputs, activation=None) for
                                     channels, outputs in zip(self.trunk.channels[::-1], wide))
        self.narrow = nn.ModuleList(conv_norm(inputs, outputs, activation=None)
                                    for inputs, outputs in zip(wide, wide[1:]))
        self.refine = nn.ModuleList([*(Separable(channels, channels) for channels in wide[:-1]),
                                     conv_norm(wide[-1], wide[-1], 3)])
        self.channels: int = wide[-1]

    def features(self, image: Tensor) -> Tensor:
        """Map (N, 3, h, w) to (N, channels, h / 8, w / 8)."""
        levels: List[Tensor] = self.trunk(image)[:0:-1]
        features = self.refine[0](functional.relu6(self.lateral[0](levels[0])))
        for lateral, narrow, refine, level in zip(self.lateral[1:], self.narrow, self.refine[1:],
                                                  levels[1:]):
            features = refine(functional.relu6(lateral(level) + upsampled(narrow(features))))
        return features


def check_pyramid(network: str, width: object, neck: object, head: object) -> None:
    """Raise NetworkError for an invalid width, neck or head."""
    check_factor(network, 'width', width)
    # One value per stride 32, 16, 8.
    check_counts(network, 'neck', neck, _LEVELS, MOST_CHANNELS)
    check_count(network, 'head', head, MOST_CHANNELS)
