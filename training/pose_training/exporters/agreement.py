# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tolerances for the outputs of an exported file, and for the people decoded from them."""
from typing import Dict, List, NamedTuple

import numpy as np

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders import create_decoder
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people, People
from pose_ros.core.stages import Selection
from pose_training.families.comparison import OutputAgreement

_REACH = 4.  # px of the network input; half a map cell at the usual stride of 8


class Tolerance(NamedTuple):
    """Tolerances of one precision.

    `difference`: the largest difference allowed; `noise`: the mean difference below which
    correlations are ignored (maps of an image without people are empty, and correlate like noise);
    `correlation`: the least of each group of channels; `keypoints`: the least fraction of the
    reference's keypoints that are found within half a map cell; `people`: whether the number of
    people must be equal.
    """

    difference: float
    noise: float
    correlation: float
    keypoints: float
    people: bool


# fp32: needed by the published mobilenet_v2_small, because its norms of each image amplify
# rounding more than those of all other networks here (1e-3 between any two runtimes). fp16: the
# same network differs on six images by up to 0.033 of the range (mean 1.2e-4), correlates by
# 0.9997 and finds all of its 232 keypoints. int8: with a correlation of 0.97 (worst image 0.89) it
# found 96 % of its keypoints; with 0.65 it found people in images without people.
TOLERANCES: Dict[str, Tolerance] = {
    'fp32': Tolerance(5e-3, 1e-6, .99999, 1.0, True),
    'fp16': Tolerance(.1, 5e-4, .999, .95, True),
    'int8': Tolerance(.5, 5e-3, .9, .8, False),
}


class PeopleAgreement(NamedTuple):
    """Counts: people and keypoints of the reference, people found, keypoints found in place."""

    people: int
    keypoints: int
    people_found: int
    keypoints_found: int


def decode_people(card: ModelCard, outputs: Dict[str, np.ndarray]) -> People:
    """Return the people in outputs without a batch axis, in network pixels, after selection.

    For a detector the keypoints are two corners of each box.
    """
    found = create_decoder(card).decode(outputs)
    if card.task == 'detection':
        corners = np.stack([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], 1)
        return make_people(np.concatenate([corners, np.ones_like(corners[..., :1])], 2),
                           found.scores)
    people = make_people(found.keypoints, found.scores)
    frame = Frame(np.zeros((card.input.height, card.input.width, 3), np.uint8))
    return Selection(card.topology, **card.selection)([frame], [people])[0]


def compare_people(card: ModelCard, reference: Dict[str, np.ndarray],
                   found: Dict[str, np.ndarray]) -> PeopleAgreement:
    """Decode the outputs (1, ...) of one image, and compare the people.

    Each person of the reference is compared with the nearest person found; a keypoint is in place
    within half a map cell.
    """
    expected, seen = (decode_people(card, {name: value[0] for name, value in outputs.items()})
                      for outputs in (reference, found))
    reach = card.decoder.outputs.get('stride', 2 * _REACH) / 2.
    keypoints = sum(_keypoints_found(person, seen, reach) for person in expected.keypoints)
    return PeopleAgreement(expected.count, int(expected.detected().sum()), seen.count, keypoints)


def output_faults(outputs: OutputAgreement, precision: str) -> List[str]:
    """Return a text for each tolerance of a precision that the outputs for one input miss."""
    wanted, found = TOLERANCES[precision], []
    if not outputs.difference <= wanted.difference:
        found.append('outputs differ by {:.2g} of their range (allowed: {:g})'.format(
            outputs.difference, wanted.difference))
    for name, value in outputs.correlations.items():
        if not value >= wanted.correlation and not outputs.mean <= wanted.noise:
            found.append('{} correlate by {:.6f} (at least {:g})'.format(
                name, value, wanted.correlation))
    return found


def people_faults(people: PeopleAgreement, precision: str) -> List[str]:
    """Return a text for each tolerance that the people of all images miss."""
    wanted, found = TOLERANCES[precision], []
    if people.keypoints_found < wanted.keypoints * people.keypoints:
        found.append('{} of {} keypoints are found within half a cell (at least {:.0%})'.format(
            people.keypoints_found, people.keypoints, wanted.keypoints))
    if wanted.people and people.people_found != people.people:
        found.append('{} people are found instead of {}'.format(
            people.people_found, people.people))
    return found


def _keypoints_found(person: np.ndarray, seen: People, reach: float) -> int:
    """Count the keypoints of one person (K, 3) within reach, for the found person with most."""
    distance = np.hypot(*np.moveaxis(seen.keypoints[..., :2] - person[:, :2], -1, 0))
    with np.errstate(invalid='ignore'):
        return int((distance <= reach).sum(-1).max(initial=0))
