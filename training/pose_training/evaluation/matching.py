# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Match found people with labelled people."""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from pose_ros.core.people import People
from pose_ros.core.topology import Topology


class Match(NamedTuple):
    """A labelled person (COCO annotation), the found one or None, and their OKS (0 if None)."""

    annotation: Dict[str, Any]
    person: Optional[int]
    oks: float


def labelled_keypoints(annotation: Dict[str, Any]) -> np.ndarray:
    """Return the labels of a person, (K, 3): x, y [px], and a value above 0 where labelled."""
    return np.asarray(annotation['keypoints'], float).reshape(-1, 3)


def match(annotations: Sequence[Dict[str, Any]], people: People,
          topology: Topology) -> List[Match]:
    """Pair the labelled people of an image with the found ones, highest similarity first.

    The object keypoint similarity (COCO keypoint evaluation) of each keypoint is the higher one of
    its own and that of its left/right twin, so that a person with exchanged sides is paired, too.
    """
    if not annotations:
        return []
    truth = np.stack([labelled_keypoints(annotation) for annotation in annotations])
    areas = np.array([annotation['area'] for annotation in annotations])
    right = _similarity(truth, areas, people.keypoints, topology)
    twin = _similarity(truth, areas, people.keypoints[:, list(topology.mirror)], topology)
    there = truth[:, None, :, 2] > 0
    count = np.maximum(there.sum(-1), 1)
    oks = (right * there).sum(-1) / count
    pairs = _greedy((np.maximum(right, twin) * there).sum(-1) / count)
    return [Match(annotation, pairs.get(row), float(oks[row, pairs[row]]) if row in pairs else 0.)
            for row, annotation in enumerate(annotations)]


def owned(annotations: Sequence[Dict[str, Any]], people: People) -> List[Match]:
    """Pair the labelled people with those found in their own boxes, whose index is the track id.

    Their OKS is not computed: NaN.
    """
    places = {int(number): place for place, number in enumerate(people.track_ids)}
    return [Match(annotation, places.get(row), float('nan'))
            for row, annotation in enumerate(annotations)]


def _similarity(truth, areas, found, topology):
    """Return (P, N, K): exp(-d^2 / (2 area (2 sigma)^2)), 0 for a keypoint that was not found."""
    squared = ((truth[:, None, :, :2] - found[None, ..., :2]) ** 2).sum(-1)
    scale = 2 * (2 * np.array(topology.sigmas)) ** 2 * np.maximum(areas, 1)[:, None, None]
    return np.nan_to_num(np.exp(-squared / scale), nan=0.)


def _greedy(alike):
    pairs, taken = {}, set()
    for place in np.argsort(-alike, axis=None, kind='stable'):
        row, column = (int(number) for number in np.unravel_index(place, alike.shape))
        if alike[row, column] > 0 and row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs
