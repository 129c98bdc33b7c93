# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the targets of part detectors."""
from typing import Annotated, NamedTuple

from pose_training.errors import ConfigError


class PartRange(NamedTuple):
    """Extent and weights of the targets; the defaults are those of DeeperCut."""

    radius: Annotated[float, 'a cell at most this far from a keypoint is positive [px]'] = 17.
    offset_weight: Annotated[float, 'weight of the location refinement in the loss'] = .05
    pairwise_weight: Annotated[float, 'weight of the pairwise terms in the loss'] = .05


def check_part_range(ranges: PartRange) -> None:
    """Raise ConfigError for settings without targets."""
    for key, value in ranges._asdict().items():
        if not 0 < value <= 1000:
            raise ConfigError('parts, {}: {} is not above 0 and at most 1000'.format(key, value))
