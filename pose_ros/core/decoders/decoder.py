# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder interface, and the registry of families."""
import abc
import importlib
from typing import Any, Dict, Tuple

import numpy as np

from pose_ros.core.card import ModelCard
from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.parameters import Parameter, checked_values
from pose_ros.core.people import PEOPLE_PARAMETERS, People

# Family -> (module, class); a family is what a model card's `family` names.
FAMILIES = {
    'paf': ('pose_ros.core.decoders.paf', 'PafDecoder'),
}


class Decoder(abc.ABC):
    """Maps to people, in network-input pixels. `PARAMETERS` lists what cards and users may set."""

    PARAMETERS: Tuple[Parameter, ...] = PEOPLE_PARAMETERS

    def __init__(self, card: ModelCard):
        """Take the settings of the card; CardError names an unknown or unfit one."""
        self.card = card
        self._settings: Dict[str, Any] = {}
        try:
            self.configure(**card.decoder)
        except PoseRosError as error:
            raise CardError('model card {!r}: {}'.format(card.name, error))

    @property
    def settings(self) -> Dict[str, Any]:
        """Return the value of each parameter."""
        return dict(self._settings)

    def configure(self, **changes) -> None:
        """Change settings from now on; PoseRosError (and no change) if any is unknown or unfit."""
        self._settings = checked_values(
            self.PARAMETERS, dict(self._settings, **changes), 'decoder')

    @abc.abstractmethod
    def check_outputs(self, outputs: Dict[str, np.ndarray]) -> None:
        """Raise CardError if real outputs contradict the card (tensor names, channels, size)."""

    @abc.abstractmethod
    def decode(self, outputs: Dict[str, np.ndarray]) -> People:
        """Turn one image's outputs (batch of 1) into people, in network-input pixels."""


def create_decoder(card: ModelCard) -> Decoder:
    """Return the decoder of the card's family; CardError if the family is unknown."""
    return _decoder_class(card.family, 'model card {!r}'.format(card.name))(card)


def decoder_parameters(family: str) -> Tuple[Parameter, ...]:
    """Return the settings of a family, with the defaults that a card may replace."""
    return _decoder_class(family, 'decoder').PARAMETERS


def _decoder_class(family, where):
    if family not in FAMILIES:
        raise CardError('{}: unknown family {!r}; known: {}'.format(
            where, family, ', '.join(sorted(FAMILIES))))
    module, name = FAMILIES[family]
    return getattr(importlib.import_module(module), name)
