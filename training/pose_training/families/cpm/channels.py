# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The channels of a `cpm` family in the outputs of another network of crops."""
import numpy as np
import torch
from torch import Tensor

from pose_training.families.family import Outputs, TeacherChannels
from pose_training.families.heatmap.channels import HeatmapChannels


def background(heatmaps: Tensor) -> Tensor:
    """Return (N, 1, h, w): 1 - the maximum over the keypoints (N, K, h, w)."""
    return 1 - heatmaps.amax(1, keepdim=True)


class BackgroundChannels(TeacherChannels):
    """The channels of keypoints, see TeacherChannels, and a background computed from them."""

    def __init__(self, keypoints: HeatmapChannels):
        self._keypoints = keypoints
        self.known = np.append(keypoints.known, keypoints.known.all())
        self.stride, self.shift = keypoints.stride, keypoints.shift
        self.own_shift = keypoints.own_shift
        mirror = keypoints.mirror
        self.mirror = None if mirror is None else (*mirror, len(mirror))

    def read(self, outputs: Outputs) -> Tensor:
        """See TeacherChannels: the keypoints alone."""
        return self._keypoints.read(outputs)

    def complete(self, maps: Tensor) -> Tensor:
        """See TeacherChannels: append the background."""
        maps = self._keypoints.complete(maps)
        return torch.cat([maps, background(maps)], 1)

    def measure(self, side: int, cells: int) -> None:
        """See TeacherChannels."""
        self._keypoints.measure(side, cells)
        self.stride, self.shift = self._keypoints.stride, self._keypoints.shift
