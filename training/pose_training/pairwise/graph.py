# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pairs of keypoints that get a logistic model: all, the limbs, or those of a file."""
from typing import Any, List, Tuple

from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml
from pose_ros.core.topology import Topology
from pose_training.errors import ConfigError
from pose_training.models.pair_tables import unordered

ALL, LIMBS = 'all', 'limbs'
_KEY = 'sparse_graph'  # of DeeperCut's configurations


def find_pairs(text: str, topology: Topology) -> List[Tuple[int, int]]:
    """Return pairs (a, b), a < b; ConfigError for an invalid file.

    `text` is `all`, `limbs`, or a YAML or JSON file: a list of pairs of keypoints by number or
    name, or a configuration of DeeperCut with its `sparse_graph`.
    """
    if text == ALL:
        return unordered(topology.size)
    if text == LIMBS:
        return sorted({(min(limb), max(limb)) for limb in topology.limbs})
    try:
        data = parse_yaml(read_file(text, LARGEST_CARD))
    except (OSError, ValueError) as error:
        raise ConfigError('--pairs: {!r} is not `all`, `limbs` or a readable file: {}'.format(
            text, error)) from error
    entries = data.get(_KEY) if isinstance(data, dict) else data
    if not isinstance(entries, list) or not entries:
        raise ConfigError('{} has no list of pairs, and no {}'.format(text, _KEY))
    return sorted({_pair(entry, topology, text) for entry in entries})


def _pair(entry: Any, topology, where) -> Tuple[int, int]:
    ends = [topology.index(end) if isinstance(end, str) else end for end in entry] \
        if isinstance(entry, list) else []
    if len(ends) != 2 or not all(type(end) is int and 0 <= end < topology.size for end in ends) \
            or ends[0] == ends[1]:
        raise ConfigError('{}: {!r} is no pair of two keypoints of {}: {}'.format(
            where, entry, topology.name, ', '.join(topology.keypoint_names)))
    return min(ends), max(ends)
