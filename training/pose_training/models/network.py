# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The base class of the networks."""
import abc
from typing import Any, Dict, List, NamedTuple, Optional, Union

from torch import Tensor, nn

from pose_training.errors import NetworkError
from pose_training.families.family import Family, Outputs


def named_outputs(**tensors: Optional[Tensor]) -> Outputs:
    """Return the outputs of a stage by name, without those that are None."""
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


class PoseNetwork(nn.Module, abc.ABC):
    """A network from images (N, 3, h, w), normalized with its card, to maps.

    `stride` is the number of input pixels per map cell; h and w must be multiples of
    `size_multiple`. `create_model` sets `recipe`, the arguments that build the network again, and
    `family`, the meaning of its outputs.
    """

    stride = 8
    size_multiple = 8
    recipe: 'Recipe'
    family: Family

    @abc.abstractmethod
    def forward(self, image: Tensor) -> List[Outputs]:
        """Return the outputs of every prediction stage by name; the last stage has all of them.

        Their names and channels are those of `family`, the sizes (N, channels, h / stride,
        w / stride).
        """


class Recipe(NamedTuple):
    """The arguments that built a network: `create_model(name, topology, **options)`."""

    name: str
    topology: Union[str, Dict[str, Any]]
    options: Dict[str, Any]


def check_stages(network: str, stages: int, fewest: int, most: int) -> None:
    """Raise NetworkError for an invalid number of stages."""
    if not isinstance(stages, int) or not fewest <= stages <= most:
        raise NetworkError('{} has {} to {} stages, not {!r}: choose `stages` among them'.format(
            network, fewest, most, stages))
