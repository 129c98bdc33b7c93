# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `part_locref`: score maps and location refinement of one person or animal.

After DeeperCut (Insafutdinov et al., arXiv:1605.03170) and DeepLabCut (Mathis et al., 2018).
Outputs of a stage: `scores` (logits, one map per keypoint) and `offsets` (dx, dy per keypoint, in
units of 7.2801 px); an early stage predicts `scores` only.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_training.data.panels import blend, blend_vectors, keypoint_panels, Panel
from pose_training.families.comparison import ChannelGroup
from pose_training.families.family import Family, Outputs, Targets
from pose_training.families.part_locref.dataset import PartDataset
from pose_training.families.part_locref.losses import cross_entropy, huber
from pose_training.families.part_locref.targets import make_targets, UNIT


class PartLocref(Family):
    """See the module."""

    name = 'part_locref'
    dataset = PartDataset
    pairwise = False

    @property
    def layout(self) -> Tuple[str, Tuple[str, ...]]:
        """See Family."""
        return self.name, self.topology.keypoint_names

    @property
    def channels(self) -> Dict[str, int]:
        """See Family."""
        return {'scores': self.topology.size, 'offsets': 2 * self.topology.size}

    def targets(self, crop, spec) -> Targets:
        """See Family."""
        return make_targets(crop.people, crop.labelled, crop.known, crop.regions, spec.stride,
                            spec.parts, self.pairwise)

    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """See Family: cross entropy of the scores, Huber loss of the vectors."""
        parts = list(self.channels.values())
        targets, known = target.split(parts, 1), weights.split(parts, 1)
        losses = [cross_entropy(stage['scores'], targets[0], known[0], foreground_weight)
                  for stage in stages]
        losses[-1] = losses[-1] + self.vector_loss(stages[-1], targets[1:], known[1:])
        return losses

    def vector_loss(self, outputs: Outputs, targets: Sequence[Tensor],
                    weights: Sequence[Tensor]) -> Tensor:
        """Return the loss of the maps of vectors of a last stage."""
        return huber(outputs['offsets'], targets[0], weights[0])

    def exported(self, outputs: Outputs) -> Outputs:
        """Return the outputs that a file has, by their own names."""
        return {name: outputs[name] for name in self.channels}

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family."""
        return self.name, {'scores': 'scores', 'score_kind': 'logit', 'offsets': 'offsets',
                           'offset_scale': UNIT, 'stride': stride,
                           'channels': list(range(self.topology.size))}

    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """See Family."""
        size = card.input.height // stride, card.input.width // stride
        return {name: (count, *size) for name, count in self.channels.items()}

    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return one group per output."""
        return [ChannelGroup(name, name, 0, count) for name, count in self.channels.items()]

    def joined(self, outputs: Outputs) -> Tensor:
        """See Family: score maps are probabilities, as in the targets."""
        return torch.cat([outputs[name].sigmoid() if name == 'scores' else outputs[name]
                          for name in self.channels if name in outputs], 1)

    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> List[Panel]:
        """See Family: the score maps, and the refinements of positive cells."""
        count = self.topology.size
        scores, offsets = maps[:count], maps[count:3 * count]
        drawn = offsets.clip(-2, 2) / 2 * (scores > .5).repeat(2, 0)
        return [Panel('score maps' + suffix, blend(image, scores.max(0))),
                Panel('refinement' + suffix, blend_vectors(image, drawn)),
                *keypoint_panels(image, scores, self.topology.keypoint_names, single, weights)]


FAMILY = PartLocref
