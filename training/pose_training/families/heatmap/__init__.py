# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `heatmap`: a heatmap per keypoint of the one person of a crop.

After Simple Baselines (Xiao et al., arXiv:1804.06208). The one output of a stage: `heatmaps`, in
the order of the topology.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders.heatmap import parse_outputs
from pose_training.data.annotations import Sample
from pose_training.data.panels import blend, keypoint_panels, Panel
from pose_training.families.comparison import ChannelGroup
from pose_training.families.family import Family, Outputs, Targets
from pose_training.families.gaussians import draw_heatmaps
from pose_training.families.heatmap.channels import grid_shift, HeatmapChannels, match_channels
from pose_training.families.heatmap.crops import person_share, PersonDataset
from pose_training.families.heatmap.mixing import mix
from pose_training.families.mirroring import Swap
from pose_training.families.topologies import AnyTopology

OUTPUT = 'output'
_UNIT = 8.  # a map of zeros for one keypoint costs about 1


class Heatmap(Family):
    """See the module; `grid` and `peak` of its outputs are those of HeatmapOutputs.

    Targets are those of the peak 1: `loss` and `joined` divide the outputs by the peak. `hardest`
    is the number of keypoints of a crop that the loss counts, those with the largest errors
    (Chen et al., arXiv:1711.07319, section 3.3); 0: all.
    """

    name = 'heatmap'
    dataset = PersonDataset

    def __init__(self, topology: AnyTopology, grid: str = 'half_pixel', peak: float = 1.):
        super().__init__(topology)
        self.grid, self.peak, self.hardest = grid, peak, 0

    @property
    def layout(self) -> Tuple[Any, ...]:
        """See Family."""
        grid = (self.grid,) if self.grid != 'half_pixel' else ()
        return (self.name, self.topology.keypoint_names, *grid)

    @property
    def channels(self) -> Dict[str, int]:
        """See Family."""
        return {'heatmaps': self.topology.size}

    def share(self, sample: Sample) -> float:
        """See Family: by the size and the keypoints of the people."""
        return person_share(sample)

    def usable(self, sample: Sample) -> bool:
        """See Family: an image with a person that can be trained on."""
        return len(sample.boxes) > 0 and person_share(sample) > 0

    def targets(self, crop, spec) -> Targets:
        """See Family: Gaussians; the weight of a keypoint is the trust in its label."""
        size = spec.size[1] // spec.stride, spec.size[0] // spec.stride
        people = crop.people
        if self.grid != 'half_pixel':
            people = people.copy()
            people[..., :2] += grid_shift(self.grid, spec.stride) * spec.stride
        maps = draw_heatmaps(people, size, spec.stride, spec.sigma)
        trust = crop.confidences[0][:, None, None]
        return Targets(maps, np.broadcast_to(trust, maps.shape).astype(np.float32))

    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """See Family: squared errors, the mean over the keypoints that count, and over crops."""
        weights = weights * (1 + foreground_weight * target)
        errors = [((self.joined(stage) - target) ** 2 * weights).sum((2, 3)) for stage in stages]
        if self.hardest:
            count = min(self.hardest, target.shape[1])
            errors = [part.topk(count, 1)[0] for part in errors]
        return [part.mean() / _UNIT for part in errors]

    def joined(self, outputs: Outputs) -> Tensor:
        """See Family."""
        return outputs['heatmaps'].float() / self.peak

    def exported(self, outputs: Outputs) -> Outputs:
        """Return one tensor `output`."""
        return {OUTPUT: outputs['heatmaps']}

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family."""
        peak = {'peak': self.peak} if self.peak != 1 else {}
        return self.name, {'tensor': OUTPUT, 'channels': list(range(self.topology.size)),
                           'grid': self.grid, **peak}

    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """See Family."""
        return {OUTPUT: (self.topology.size, card.input.height // stride,
                         card.input.width // stride)}

    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return the one group `heatmaps`."""
        return [ChannelGroup('heatmaps', OUTPUT, 0, self.topology.size)]

    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> List[Panel]:
        """See Family."""
        return [Panel('heatmaps' + suffix, blend(image, maps.max(0)))] + keypoint_panels(
            image, maps, self.topology.keypoint_names, single, weights)

    def flip(self, card: ModelCard) -> Dict[str, List[Swap]]:
        """See Family."""
        outputs = parse_outputs(card)
        channels, twins = list(outputs.channels), card.topology.mirror
        signs = np.ones((len(channels), 1, 1), np.float32)
        return {outputs.tensor: [Swap(channels, [channels[twin] for twin in twins], signs, [])]}

    def teacher_channels(self, card: ModelCard, where: str) -> HeatmapChannels:
        """See Family."""
        return match_channels(card, self.topology, where, self.grid)

    def mix(self, maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
            complete: Tensor) -> Tuple[Tensor, Tensor]:
        """See Family and mixing.py; `complete` is not used."""
        target, mixed = mix(maps, weights[..., 0, 0], soft, known, share)
        return target, mixed.expand_as(target).contiguous()

    def keypoint_maps(self, maps: np.ndarray) -> np.ndarray:
        """See Family."""
        return maps


FAMILY = Heatmap
