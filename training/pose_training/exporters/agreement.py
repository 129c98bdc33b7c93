# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How well two answers agree: maps by their values, people by their joints."""
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from pose_ros.core.card import ModelCard
from pose_ros.core.decoders import create_decoder
from pose_ros.core.people import People
from pose_training.exporters.onnx_graph import OUTPUT


class Tolerance(NamedTuple):
    """What one precision must reach.

    `difference` is the largest one allowed, and `noise` the mean one below which correlations
    count for nothing (maps of a picture without people are empty, and correlate as noise does);
    `correlation` the least of heat maps and of fields; `joints` the least fraction of the
    reference's joints that are found within half a map cell; `people` tells whether exactly as
    many people have to be found.
    """

    difference: float
    noise: float
    correlation: float
    joints: float
    people: bool


# fp32: what the published mobilenet_v2_small needs, whose norms of each picture amplify rounding
# most of all networks here (1e-3 between any two runtimes). fp16: the same network, on six photos,
# differs by up to 0.033 of the range (mean 1.2e-4), correlates by 0.9997 and finds all of its 232
# joints. int8: at 0.97 (worst picture 0.89) it kept 96 % of its joints, at 0.65 it saw people who
# were not there.
TOLERANCES: Dict[str, Tolerance] = {
    'fp32': Tolerance(5e-3, 1e-6, .99999, 1.0, True),
    'fp16': Tolerance(.1, 5e-4, .999, .95, True),
    'int8': Tolerance(.5, 5e-3, .9, .8, False),
}


class MapAgreement(NamedTuple):
    """Largest and mean difference over the reference's range, and correlations.

    The background channel has no part in that of the `heatmaps`; `pafs` is None for none.
    """

    difference: float
    mean: float
    heatmaps: float
    pafs: Optional[float]


class PeopleAgreement(NamedTuple):
    """People and joints in the reference's answer; people found, and joints found in place."""

    people: int
    joints: int
    people_found: int
    joints_found: int


def compare_maps(reference: np.ndarray, found: np.ndarray, keypoints: int,
                 heatmaps: int) -> MapAgreement:
    """Compare maps (N, channels, h, w).

    The first `keypoints` channels are heat maps of keypoints, those from `heatmaps` on fields.
    """
    span = float(reference.max() - reference.min()) or 1.0
    apart = np.abs(found - reference)
    pafs = None
    if reference.shape[1] > heatmaps:
        pafs = _correlation(reference[:, heatmaps:], found[:, heatmaps:])
    return MapAgreement(float(apart.max()) / span, float(apart.mean(dtype=np.float64)) / span,
                        _correlation(reference[:, :keypoints], found[:, :keypoints]), pafs)


def compare_people(card: ModelCard, reference: np.ndarray, found: np.ndarray) -> PeopleAgreement:
    """Decode the maps (1, channels, h, w) of one picture, and compare who is seen.

    Each person of the reference is held against the nearest person found.
    """
    decoder = create_decoder(card)
    expected, seen = (decoder.decode({OUTPUT: maps}) for maps in (reference, found))
    reach = card.outputs['stride'] / 2.
    joints = sum(_joints_found(person, seen, reach) for person in expected.keypoints)
    return PeopleAgreement(expected.count, int(expected.detected().sum()), seen.count, joints)


def worst(maps: Sequence[MapAgreement]) -> MapAgreement:
    """Return the worst of each figure."""
    pafs = [each.pafs for each in maps if each.pafs is not None]
    return MapAgreement(max(each.difference for each in maps), max(each.mean for each in maps),
                        min(each.heatmaps for each in maps), min(pafs) if pafs else None)


def map_faults(maps: MapAgreement, precision: str) -> List[str]:
    """Return where the maps of one input fall short of the tolerance of a precision, in words."""
    wanted, found = TOLERANCES[precision], []
    if not maps.difference <= wanted.difference:
        found.append('maps differ by {:.2g} of their range (allowed: {:g})'.format(
            maps.difference, wanted.difference))
    for name, value in (('heat maps', maps.heatmaps), ('fields', maps.pafs)):
        if value is not None and not value >= wanted.correlation \
                and not maps.mean <= wanted.noise:
            found.append('{} correlate by {:.6f} (at least {:g})'.format(
                name, value, wanted.correlation))
    return found


def people_faults(people: PeopleAgreement, precision: str) -> List[str]:
    """Return where the people of all pictures fall short of a tolerance, in words."""
    wanted, found = TOLERANCES[precision], []
    if people.joints_found < wanted.joints * people.joints:
        found.append('{} of {} joints are found within half a cell (at least {:.0%})'.format(
            people.joints_found, people.joints, wanted.joints))
    if wanted.people and people.people_found != people.people:
        found.append('{} people are found in place of {}'.format(
            people.people_found, people.people))
    return found


def _joints_found(person: np.ndarray, seen: People, reach: float) -> int:
    """Count joints of one person (K, 3) within reach in the one that has the most of them."""
    distance = np.hypot(*np.moveaxis(seen.keypoints[..., :2] - person[:, :2], -1, 0))
    with np.errstate(invalid='ignore'):
        return int((distance <= reach).sum(-1).max(initial=0))


def _correlation(reference, found):
    a, b = (maps.astype(np.float64).ravel() - maps.mean(dtype=np.float64)
            for maps in (reference, found))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # Maps of one value have no correlation; they agree if both are such maps.
    return float((a * b).sum()) / norm if norm > 1e-12 else float(np.allclose(a, b, atol=1e-6))
