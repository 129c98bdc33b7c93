# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The channels of a `heatmap` family in the outputs of another network of crops."""
from typing import Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders.heatmap import HeatmapOutputs, parse_outputs
from pose_ros.core.topology import Topology
from pose_training.errors import DataError
from pose_training.families.family import Outputs, TeacherChannels

_STRIDE = 4  # of a teacher without it in its card: that of all published networks of crops
_STRIDES = (2, 4, 8, 16, 32)
_GRIDS = ('half_pixel', 'corner')


class HeatmapChannels(TeacherChannels):
    """See TeacherChannels. `chosen` (K,): the teacher's channel of each keypoint, -1 for none.

    `grid` is the student's. On the grid `corner` a mirrored map has other cells: there the mirror
    image is not averaged in.
    """

    def __init__(self, outputs: HeatmapOutputs, stride: int, chosen: Tuple[int, ...],
                 mirror: Tuple[int, ...], grid: str):
        self._tensor, self._peak, self._chosen = outputs.tensor, outputs.peak, np.array(chosen)
        self.known = self._chosen >= 0
        self.stride, self._grid = stride, outputs.grid
        self.shift, self.own_shift = grid_shift(outputs.grid, stride), grid_shift(grid)
        self.mirror = mirror if grid == 'half_pixel' else None

    def read(self, outputs: Outputs) -> Tensor:
        """See TeacherChannels."""
        maps = outputs[self._tensor].float() / self._peak
        known = torch.from_numpy(self.known).to(maps.device).view(-1, 1, 1)
        places = torch.from_numpy(self._chosen.clip(0)).to(maps.device)
        return torch.where(known, maps[:, places], maps.new_zeros(()))

    def complete(self, maps: Tensor) -> Tensor:
        """See TeacherChannels."""
        return maps

    def measure(self, side: int, cells: int) -> None:
        """See TeacherChannels."""
        if side % cells == 0:
            self.stride = side // cells
            self.shift = grid_shift(self._grid, self.stride)


def grid_shift(grid: str, stride: int = _STRIDE) -> float:
    """Return by how many cells the cells of a grid lie before those of `half_pixel`."""
    return .5 - .5 / stride if grid == 'corner' else 0.


def match_channels(card: ModelCard, topology: Topology, where: str,
                   grid: str = 'half_pixel') -> HeatmapChannels:
    """Find the keypoints of a topology in a teacher's heatmaps, by name.

    `grid` is that of the student. Raises DataError for a teacher of another kind, of another
    grid, or of other keypoints.
    """
    if card.decoder.type != 'heatmap' or card.topology is None:
        raise DataError('the teacher {} has a decoder of type {!r}: a network of crops needs a '
                        'teacher of type `heatmap`'.format(where, card.decoder.type))
    outputs = parse_outputs(card)
    if outputs.grid not in _GRIDS:
        raise DataError('the teacher {} has the grid {!r}; choose one of {}'.format(
            where, outputs.grid, ', '.join(_GRIDS)))
    own = [card.topology.index(name) for name in topology.keypoint_names]
    chosen = tuple(-1 if keypoint is None else outputs.channels[keypoint] for keypoint in own)
    if max(chosen) < 0:
        raise DataError('the teacher {} predicts {}, which has no keypoint of {}: choose a '
                        'teacher with keypoints of the same names'.format(
                            where, card.topology.name, topology.name))
    return HeatmapChannels(outputs, _stride(card), chosen, topology.mirror, grid)


def _stride(card):
    export = card.provenance.get('export')
    stride = export.get('stride') if isinstance(export, dict) else None
    return stride if type(stride) is int and stride in _STRIDES else _STRIDE
