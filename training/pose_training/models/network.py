# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The base class of the networks."""
import abc
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Union

import numpy as np
from torch import Tensor, nn

from pose_training.errors import NetworkError
from pose_training.families.family import Family, Outputs

MOST_CHANNELS, MOST_BLOCKS = 2048, 64  # of the options of a network


def named_outputs(**tensors: Optional[Tensor]) -> Outputs:
    """Return the outputs of a stage by name, without those that are None."""
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


class PoseNetwork(nn.Module, abc.ABC):
    """A network from images (N, 3, h, w), normalized with its card, to maps.

    `stride` is the number of input pixels per map cell; h and w must be multiples of
    `size_multiple`; with `fixed_size`, an exported file takes only images of its own size.
    `create_model` sets `recipe`, the arguments that build the network again, and `family`, the
    meaning of its outputs.
    """

    stride = 8
    size_multiple = 8
    fixed_size = False
    recipe: 'Recipe'
    family: Family

    @abc.abstractmethod
    def forward(self, image: Tensor) -> List[Outputs]:
        """Return the outputs of every prediction stage by name; the last stage has all of them.

        Their names and channels are those of `family`, the sizes (N, channels, h / stride,
        w / stride).
        """

    def card_facts(self) -> Dict[str, Any]:
        """Return entries of the card's decoder outputs that this network has, not its family."""
        return {}

    def state_of_facts(self, outputs: Mapping[str, Any]) -> Dict[str, np.ndarray]:
        """Return the part of the state that is in `card_facts`, from decoder outputs of a card."""
        return {}


class Recipe(NamedTuple):
    """The arguments that built a network: `create_model(name, topology, **options)`."""

    name: str
    topology: Union[str, Dict[str, Any]]
    options: Dict[str, Any]


def check_stages(network: str, stages: int, fewest: int, most: int) -> None:
    """Raise NetworkError for an invalid number of stages."""
    if type(stages) is not int or not fewest <= stages <= most:
        raise NetworkError('{} has {} to {} stages, not {:.40}: choose `stages` among them'.format(
            network, fewest, most, repr(stages)))


def check_count(network: str, option: str, value: object, most: int) -> None:
    """Raise NetworkError unless an option is a whole number from 1 to `most`."""
    if type(value) is not int or not 1 <= value <= most:
        raise NetworkError('{}: the option `{}` is a whole number from 1 to {}, not {:.40}'.format(
            network, option, most, repr(value)))


def check_counts(network: str, option: str, values: object, count: int, most: int) -> None:
    """Raise NetworkError unless an option is a list of `count` whole numbers from 1 to `most`."""
    if not isinstance(values, (list, tuple)) or len(values) != count:
        raise NetworkError('{}: the option `{}` is a list of {} numbers, not {:.40}'.format(
            network, option, count, repr(values)))
    for value in values:
        check_count(network, option, value, most)


def check_factor(network: str, option: str, value: object) -> None:
    """Raise NetworkError unless an option is a factor on channels: a number above 0, at most 4."""
    if type(value) not in (int, float) or not 0 < value <= 4:  # type: ignore[operator]
        raise NetworkError('{}: the option `{}` is a factor above 0 and at most 4, not '
                           '{:.40}'.format(network, option, repr(value)))


def check_flag(network: str, option: str, value: object) -> None:
    """Raise NetworkError unless an option is true or false."""
    if not isinstance(value, bool):
        raise NetworkError('{}: the option `{}` is true or false, not {:.40}'.format(
            network, option, repr(value)))
