# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What every network of this package is: a module that predicts maps, stage after stage."""
import abc
from typing import Any, Dict, List, NamedTuple, Optional

from torch import Tensor, nn

from pose_training.errors import NetworkError


class StageMaps(NamedTuple):
    """What one stage predicts: linear maps (N, channels, h / stride, w / stride), None for none.

    `heatmaps` holds one channel per keypoint in the order of the topology (then the background,
    where the network has one), `pafs` two channels per limb in the order of the map layout.
    """

    heatmaps: Optional[Tensor]
    pafs: Optional[Tensor]


class PoseNetwork(nn.Module, abc.ABC):
    """A network from images (N, 3, h, w), normalized as its card says, to maps.

    `stride` is the number of input pixels per map cell; h and w must be multiples of
    `size_multiple`. `recipe` is set by `create_model`, and tells how to build the network again.
    """

    stride = 8
    size_multiple = 8
    recipe: 'Recipe'

    @abc.abstractmethod
    def forward(self, image: Tensor) -> List[StageMaps]:
        """Return the maps of every prediction stage; the last holds all of the final ones."""


class Recipe(NamedTuple):
    """How a network was made: `create_model(name, topology, **options)`."""

    name: str
    topology: str
    options: Dict[str, Any]


def check_stages(network: str, stages: int, fewest: int, most: int) -> None:
    """Raise NetworkError unless the number of stages is one that can be built."""
    if not isinstance(stages, int) or not fewest <= stages <= most:
        raise NetworkError('{} has {} to {} stages, not {!r}: choose `stages` among them'.format(
            network, fewest, most, stages))
