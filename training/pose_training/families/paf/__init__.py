# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `paf`: a heatmap per keypoint, a part affinity field per limb.

After Cao et al., arXiv:1812.08008. Outputs of a stage: `heatmaps` (one channel per keypoint in the
order of the topology, then the background where the layout has one) and `pafs` (two channels per
limb of the layout); an early stage may predict one of them.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders.paf import parse_outputs
from pose_training.data.dataset import PoseDataset
from pose_training.data.panels import keypoint_panels, Panel
from pose_training.families.comparison import ChannelGroup
from pose_training.families.family import Family, Outputs, Targets
from pose_training.families.losses import squared_errors
from pose_training.families.mirroring import Swap
from pose_training.families.paf.channels import match_channels, PafChannels
from pose_training.families.paf.drawing import paf_panels
from pose_training.families.paf.flipping import channel_swaps
from pose_ros.core.paf_layouts import map_layout, MapLayout
from pose_training.families.paf.mixing import mix
from pose_training.families.paf.targets import make_targets
from pose_training.families.topologies import AnyTopology

OUTPUT = 'output'  # of the exported file: heatmaps, then PAFs


class Paf(Family):
    """See the module."""

    name = 'paf'
    dataset = PoseDataset

    def __init__(self, topology: AnyTopology):
        super().__init__(topology)
        self._layout = map_layout(self.topology)

    @property
    def layout(self) -> MapLayout:
        """See Family."""
        return self._layout

    @property
    def channels(self) -> Dict[str, int]:
        """See Family."""
        return {'heatmaps': self._layout.heatmaps, 'pafs': self._layout.pafs}

    def targets(self, crop, spec) -> Targets:
        """See Family."""
        return make_targets(crop.people, crop.labelled, crop.known, self._layout, spec.stride,
                            spec.sigma, spec.limb_width, crop.regions)

    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """See Family."""
        return squared_errors(stages, target, weights, foreground_weight, tuple(self.channels))

    def exported(self, outputs: Outputs) -> Outputs:
        """Return one tensor `output`: heatmaps first, then the PAFs."""
        return {OUTPUT: self.joined(outputs)}

    def joined(self, outputs: Outputs) -> Tensor:
        """See Family: heatmaps, then PAFs."""
        maps = [outputs[name] for name in self.channels if name in outputs]
        return torch.cat(maps, 1) if len(maps) > 1 else maps[0]

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family. Without limbs there is one person in the image: the type is `heatmap`."""
        layout, keypoints = self._layout, self.topology.size
        channels = list(range(keypoints))
        if not layout.limbs:
            return 'heatmap', {'tensor': OUTPUT, 'channels': channels, 'grid': 'half_pixel'}
        return self.name, {
            'stride': stride,
            'heatmaps': {'tensor': OUTPUT, 'channels': channels,
                         'background': keypoints if layout.background else None},
            'pafs': {'tensor': OUTPUT, 'axis_order': layout.axis_order,
                     'limbs': [[*layout.limbs[limb], layout.heatmaps + 2 * limb]
                               for limb in layout.joining_order]}}

    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """See Family."""
        return {OUTPUT: (self.groups(card)[-1].last, card.input.height // stride,
                         card.input.width // stride)}

    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return `heatmaps`, `background` and `pafs`, as far as the card has them."""
        outputs, keypoints = card.decoder.outputs, self.topology.size
        heatmaps, limbs = self._layout.heatmaps, self._layout.limbs
        if card.decoder.type == self.name:
            keypoints, limbs = len(outputs['heatmaps']['channels']), outputs['pafs']['limbs']
            heatmaps = keypoints + (outputs['heatmaps']['background'] is not None)
        bounds = (('heatmaps', 0, keypoints, True), ('background', keypoints, heatmaps, False),
                  ('pafs', heatmaps, heatmaps + 2 * len(limbs), True))
        return [ChannelGroup(name, OUTPUT, first, last, correlated)
                for name, first, last, correlated in bounds if last > first]

    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> List[Panel]:
        """See Family."""
        heatmaps = maps[:self.topology.size]
        return paf_panels(image, heatmaps, maps[self._layout.heatmaps:], self._layout.axis_order,
                          suffix) + \
            keypoint_panels(image, heatmaps, self.topology.keypoint_names, single, weights)

    def flip(self, card: ModelCard) -> Dict[str, List[Swap]]:
        """See Family."""
        return channel_swaps(parse_outputs(card), card.topology)

    def teacher_channels(self, card: ModelCard, where: str) -> PafChannels:
        """See Family."""
        return match_channels(card, self._layout, where)

    def mix(self, maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
            complete: Tensor) -> Tuple[Tensor, Tensor]:
        """See Family."""
        return mix(maps, weights, soft, known, share, complete, self._layout)

    def keypoint_maps(self, maps: np.ndarray) -> np.ndarray:
        """See Family."""
        return maps[:self.topology.size]


FAMILY = Paf
