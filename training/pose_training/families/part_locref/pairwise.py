# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `part_pairwise`: part_locref, and from each keypoint to each other one a vector.

After ArtTrack (Insafutdinov et al., arXiv:1612.01465). The output `pairwise` holds the vectors
from cells, less their `mean` over their `deviation`, which are outputs, too: the statistics that
the network has from its training data, and gives to its model card.
"""
import logging
from typing import Any, Dict, Sequence, Tuple

from torch import Tensor

from pose_training.errors import DataError
from pose_training.families.family import Outputs
from pose_training.families.part_locref import PartLocref
from pose_training.families.part_locref.losses import huber
from pose_training.families.part_locref.statistics import Statistics

_LOG = logging.getLogger('pose_training')
_CROPS = 400  # of the statistics


class PartPairwise(PartLocref):
    """See the module."""

    name = 'part_pairwise'
    pairwise = True

    @property
    def channels(self) -> Dict[str, int]:
        """See Family."""
        count = self.topology.size
        return {**super().channels, 'pairwise': 2 * count * (count - 1)}

    def begin(self, network, dataset) -> None:
        """See Family: measure the statistics of a network that has none, on its crops."""
        if network.pairs.measured:
            return
        statistics = Statistics(self.topology.size)
        for number in range(_CROPS):
            statistics.add(dataset.draw_people(number % len(dataset), number))
        mean, deviation, count = statistics.result()
        missing = int((count < 2).sum())
        if missing == len(count):
            raise DataError('no person of the training data has two keypoints: there are no '
                            'pairwise terms')
        if missing:
            _LOG.warning('%d of the %d ordered pairs of keypoints occur less than twice in %d '
                         'crops', missing, len(count), _CROPS)
        network.pairs.set_statistics(mean, deviation)

    def vector_loss(self, outputs: Outputs, targets: Sequence[Tensor],
                    weights: Sequence[Tensor]) -> Tensor:
        """See PartLocref."""
        mean, deviation = (outputs[name].reshape(1, -1, 1, 1) for name in ('mean', 'deviation'))
        return super().vector_loss(outputs, targets, weights) + huber(
            outputs['pairwise'], (targets[1] - mean) / deviation.clamp(min=1e-6), weights[1])

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family; the network adds its tables of pairs."""
        name, outputs = super().decoder(stride)
        return name, {**outputs, 'pairwise': 'pairwise'}


FAMILY = PartPairwise
