# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The channels of a `paf` family in the outputs of another network with a `paf` card."""
from typing import List, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders.paf import PafOutputs, parse_outputs
from pose_training.errors import DataError
from pose_training.families.family import Outputs, TeacherChannels
from pose_ros.core.paf_layouts import MapLayout


class PafChannels(TeacherChannels):
    """See TeacherChannels.

    `heatmaps` and `pafs` are the teacher's channel of each target channel (without the
    background), -1 for none; `signs` are those of the PAF channels, -1 for a reversed limb.
    """

    def __init__(self, outputs: PafOutputs, layout: MapLayout, heatmaps: Tuple[int, ...],
                 pafs: Tuple[int, ...], signs: Tuple[float, ...]):
        self.stride, self.heatmaps, self.pafs, self.signs = outputs.stride, heatmaps, pafs, signs
        self._tensors, self._layout = (outputs.heat_tensor, outputs.paf_tensor), layout
        has_heatmap = np.array(heatmaps) >= 0
        background = [has_heatmap.all()] * layout.background
        self.known = np.concatenate([has_heatmap, background, np.array(pafs) >= 0]).astype(bool)

    def read(self, outputs: Outputs) -> Tensor:
        """See TeacherChannels: keypoints, then PAFs, without the background."""
        heat_tensor, paf_tensor = self._tensors
        heatmaps = _take(outputs[heat_tensor], self.heatmaps).clamp(0, 1)
        pafs = _take(outputs[paf_tensor], self.pafs)
        pafs = pafs * torch.tensor(self.signs, device=pafs.device).view(-1, 1, 1)
        return torch.cat([heatmaps, pafs], 1)

    def complete(self, maps: Tensor) -> Tensor:
        """See TeacherChannels: insert the background."""
        keypoints = len(self.heatmaps)
        heatmaps, pafs = maps[:, :keypoints], maps[:, keypoints:]
        background = [1 - heatmaps.amax(1, keepdim=True)] * self._layout.background
        return torch.cat([heatmaps, *background, pafs], 1)


def match_channels(card: ModelCard, layout: MapLayout, where: str) -> PafChannels:
    """Find the channels of a layout in a teacher's outputs; DataError if there are none.

    Keypoints are matched by name, limbs by the names of their ends in either direction.
    """
    if card.decoder.type != 'paf':
        raise DataError('the teacher {} has a decoder of type {!r}: a network with heatmaps and '
                        'PAFs needs a teacher of type `paf`'.format(where, card.decoder.type))
    outputs = parse_outputs(card)
    names = layout.topology.keypoint_names
    own = [card.topology.index(name) for name in names]
    heatmaps = tuple(-1 if keypoint is None else outputs.heat_channels[keypoint]
                     for keypoint in own)
    first = {(parent, child): channel for parent, child, channel in outputs.limbs}
    pafs: List[int] = []
    signs: List[float] = []
    swap = outputs.axis_order != layout.axis_order
    for parent, child in layout.limbs:
        ends = own[parent], own[child]
        channel, sign = (first[ends], 1.) if ends in first else (
            first.get(ends[::-1], -1), -1.)
        pair = [channel, channel + 1] if channel >= 0 else [-1, -1]
        pafs += pair[::-1] if swap else pair
        signs += [sign, sign]
    if max(heatmaps + tuple(pafs)) < 0:
        raise DataError('the teacher {} predicts {}, which has no keypoint or limb of {}: choose '
                        'a teacher with keypoints of the same names'.format(
                            where, card.topology.name, layout.topology.name))
    return PafChannels(outputs, layout, heatmaps, tuple(pafs), tuple(signs))


def _take(maps, channels):
    chosen = torch.tensor(channels, dtype=torch.long, device=maps.device)
    taken = maps.float()[:, chosen.clamp(min=0)]
    return torch.where((chosen < 0).view(-1, 1, 1), torch.zeros((), device=maps.device), taken)
