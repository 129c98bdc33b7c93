# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Normalize the pixels of an image for a network."""
import torch
from torch import nn, Tensor

from pose_ros.core.card import InputSpec


class Normalization(nn.Module):
    """(pixel scale - mean) / std per channel, in the channels' order of a card's `input`.

    It has no weights, and no entries in a state dict.
    """

    def __init__(self, spec: InputSpec):
        super().__init__()
        order = [0, 1, 2] if spec.color == 'bgr' else [2, 1, 0]
        gain = torch.tensor([spec.scale / std for std in spec.std])
        bias = torch.tensor([-mean / std for mean, std in zip(spec.mean, spec.std)])
        self.register_buffer('_order', torch.tensor(order), persistent=False)
        self.register_buffer('_gain', gain.view(1, 3, 1, 1), persistent=False)
        self.register_buffer('_bias', bias.view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Turn (N, 3, h, w) uint8 BGR into float32."""
        return image[:, self._order].float() * self._gain + self._bias
