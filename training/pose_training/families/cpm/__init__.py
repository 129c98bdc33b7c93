# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `cpm`: heatmaps of the one person or hand of a crop, and of the background.

After convolutional pose machines (Wei et al., arXiv:1602.00134): every stage yields `heatmaps`,
one channel per keypoint in the order of the topology, then the background, and every stage is
supervised. Cell g is the pixel (g + 0.5) stride - 0.5. The decoder is that of heatmaps.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_training.data.panels import Panel
from pose_training.families.comparison import ChannelGroup
from pose_training.families.cpm.channels import BackgroundChannels, background
from pose_training.families.family import Outputs, Targets
from pose_training.families.heatmap import Heatmap, OUTPUT


class Cpm(Heatmap):
    """See the module. What it does not define is that of the family `heatmap`."""

    name = 'cpm'

    @property
    def channels(self) -> Dict[str, int]:
        """See Family: the keypoints and the background."""
        return {'heatmaps': self.topology.size + 1}

    def targets(self, crop, spec) -> Targets:
        """See Family: Gaussians, and 1 - their maximum; its weight is the least of theirs."""
        maps, weights = super().targets(crop, spec)
        return Targets(np.concatenate([maps, 1 - maps.max(0, keepdims=True)]),
                       np.concatenate([weights, weights.min(0, keepdims=True)]))

    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """See Family: squared errors, the mean over cells and crops.

        Of the background the low values count as the high ones of the keypoints. With `hardest`
        it counts besides the hardest keypoints.
        """
        emphasis = torch.cat([target[:, :-1], 1 - target[:, -1:]], 1).clamp(min=0)
        weights = weights * (1 + foreground_weight * emphasis)
        errors = [((self.joined(stage) - target) ** 2 * weights).mean((2, 3)) for stage in stages]
        if self.hardest:
            count = min(self.hardest, self.topology.size)
            errors = [torch.cat([part[:, :-1].topk(count, 1)[0], part[:, -1:]], 1)
                      for part in errors]
        return [part.sum(1).mean() for part in errors]

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family: the type is `heatmap`; the background is not read."""
        _, outputs = super().decoder(stride)
        return 'heatmap', outputs

    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """See Family."""
        keypoints, *sides = super().output_shapes(card, stride)[OUTPUT]
        return dict.fromkeys([OUTPUT, *_stages(card)], (keypoints + 1, *sides))

    def stage_names(self, count: int) -> List[str]:
        """See Family."""
        return ['stage_{}'.format(number) for number in range(1, count)]

    def exported_stages(self, stages: Sequence[Outputs], card: ModelCard) -> Outputs:
        """See Family: the heatmaps of each stage."""
        return {**self.exported(stages[-1]), **{name: stage['heatmaps'] for name, stage in
                                                zip(_stages(card), stages)}}

    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return the groups `heatmaps` and `background`."""
        last = self.topology.size
        return super().groups(card) + [ChannelGroup('background', OUTPUT, last, last + 1, False)]

    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> List[Panel]:
        """See Family."""
        return super().panels(image, self.keypoint_maps(maps), suffix, single,
                              None if weights is None else self.keypoint_maps(weights))

    def teacher_channels(self, card: ModelCard, where: str) -> BackgroundChannels:
        """See Family: every network of crops with heatmaps, with or without a background."""
        return BackgroundChannels(super().teacher_channels(card, where))

    def mix(self, maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
            complete: Tensor) -> Tuple[Tensor, Tensor]:
        """See Family: the keypoints as in `heatmap`; the background follows from them."""
        target, mixed = super().mix(*(part[:, :-1] for part in (maps, weights, soft)), known[:-1],
                                    share, complete)
        return (torch.cat([target, background(target)], 1),
                torch.cat([mixed, mixed.amin(1, keepdim=True)], 1))

    def keypoint_maps(self, maps: np.ndarray) -> np.ndarray:
        """See Family."""
        return maps[:-1]


def _stages(card):
    return card.decoder.outputs.get('stages', [])


FAMILY = Cpm
