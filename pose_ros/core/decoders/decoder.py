# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder interface, and the registry of decoder types."""
import abc
import importlib
from typing import Dict, List, NamedTuple, Tuple, Type

import numpy as np

from pose_ros.core.agreement import disagreement
from pose_ros.core.card import ModelCard
from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.parameters import checked_values, Configurable, Parameter
from pose_ros.core.quoting import quoted

# Type in a model card -> (module, class).
DECODERS = {
    'boxes': ('pose_ros.core.decoders.boxes', 'BoxesDecoder'),
    'heatmap': ('pose_ros.core.decoders.heatmap', 'HeatmapDecoder'),
    'movenet_multipose': ('pose_ros.core.decoders.movenet_multipose', 'MovenetMultiposeDecoder'),
    'paf': ('pose_ros.core.decoders.paf', 'PafDecoder'),
    'part_locref': ('pose_ros.core.decoders.part_locref', 'PartLocrefDecoder'),
    'part_pairwise': ('pose_ros.core.decoders.part_pairwise', 'PartPairwiseDecoder'),
    'regression': ('pose_ros.core.decoders.regression', 'RegressionDecoder'),
    'rtmo': ('pose_ros.core.decoders.rtmo', 'RtmoDecoder'),
    'simcc': ('pose_ros.core.decoders.simcc', 'SimccDecoder'),
    'yolo_pose': ('pose_ros.core.decoders.yolo_pose', 'YoloPoseDecoder'),
}


class Found(NamedTuple):
    """What a network finds in one region, in network-input pixels.

    `keypoints` (P, K, 3): x, y, score, with score 0 for a missing one; K is 0 for a detector.
    `scores` (P,). `boxes` (P, 4): left, top, width, height; NaN if the network yields none.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray


def make_found(keypoints, scores, boxes=None) -> Found:
    """Build Found from copies of array-likes; without `boxes` they are NaN."""
    scores = np.array(scores, np.float32)
    if boxes is None:
        boxes = np.full((len(scores), 4), np.nan, np.float32)
    return Found(np.array(keypoints, np.float32), scores, np.array(boxes, np.float32))


class Decoder(Configurable):
    """Outputs of one region to what is in it. PARAMETERS lists what cards and users may set.

    TASK is the task of the cards that name this decoder.
    """

    TASK = 'pose'

    def __init__(self, card: ModelCard):
        """Take the settings of the card; CardError names one that is unknown or invalid."""
        self.card = card
        try:
            # Checked first: a key such as 'self' cannot be passed on.
            super(Decoder, self).__init__(**checked_values(
                self.PARAMETERS, card.decoder.settings, 'settings'))
        except PoseRosError as error:
            raise CardError('model card {!r}: {}'.format(card.name, error))

    @abc.abstractmethod
    def check_outputs(self, outputs: Dict[str, np.ndarray]) -> None:
        """Raise CardError if real outputs of one region contradict the card."""

    @abc.abstractmethod
    def decode(self, outputs: Dict[str, np.ndarray]) -> Found:
        """Read the outputs of one region, by name and without a batch axis."""

    def unmirrored(self, outputs: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Return the outputs of a mirrored region as those of the region itself."""
        raise PoseRosError('the decoder type {!r} has no mirror test'.format(
            self.card.decoder.type))

    def maps(self, outputs: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Return the maps of one region by name, for drawings, in the order of the topology.

        (h, w) with 1 for a certain keypoint, or vectors (2, h, w), x before y. This default has
        none: outputs may be coordinates.
        """
        return {}

    def stage_maps(self, outputs: Dict[str, np.ndarray]) -> List[Dict[str, np.ndarray]]:
        """Return the maps of the stages before the last, first to last, each as `maps` does."""
        return []

    def agrees(self, expected: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
               precision: str) -> str:
        """Compare an engine's outputs (N, ...) with ONNX Runtime's; return '' or what differs.

        This default compares maps (N, C, h, w); a decoder of other outputs has its own measure.
        """
        return disagreement(expected, found, precision)


def are_distinct_channels(values, count: int) -> bool:
    """Return whether this is a list of `count` different channels, numbers from 0."""
    return isinstance(values, (list, tuple)) and len(values) == count \
        and all(type(value) is int and value >= 0 for value in values) \
        and len(set(values)) == count


def require_output(outputs: Dict[str, np.ndarray], name: str, where: str,
                   whole_numbers: bool = False) -> np.ndarray:
    """Return an output by name; CardError, which begins with `where`, if there is none of floats.

    With `whole_numbers` integers are allowed, too.
    """
    if name not in outputs:
        raise CardError('{}: no output {!r}; the network yields {}'.format(
            where, name, ', '.join(sorted(outputs))))
    kind = outputs[name].dtype
    if kind.kind not in ('fiu' if whole_numbers else 'f'):
        raise CardError('{}: output {!r} has the type {}, and its decoder reads float32: export '
                        'the network with outputs of floats'.format(where, name, kind))
    return outputs[name]


def create_decoder(card: ModelCard) -> Decoder:
    """Return the decoder of the card's type; CardError if the type is unknown."""
    where = 'model card {!r}'.format(card.name)
    decoder = decoder_class(card.decoder.type, where)
    if card.task != decoder.TASK:
        raise CardError('{}: the decoder type {!r} is for the task {!r}, not {!r}'.format(
            where, card.decoder.type, decoder.TASK, card.task))
    return decoder(card)


def decoder_parameters(kind: str) -> Tuple[Parameter, ...]:
    """Return the settings of a decoder type, with the defaults that a card may replace."""
    return decoder_class(kind).PARAMETERS


def decoder_class(kind: str, where: str = 'decoder') -> Type[Decoder]:
    """Return the class of a decoder type; CardError, which begins with `where`, if unknown."""
    if kind not in DECODERS:
        raise CardError('{}: unknown decoder type {}; known: {}'.format(
            where, quoted(kind), ', '.join(sorted(DECODERS))))
    module, name = DECODERS[kind]
    return getattr(importlib.import_module(module), name)
