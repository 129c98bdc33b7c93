# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The families by name: the decoder type of their model cards (cpm: that of heatmap)."""
import importlib

from pose_training.errors import NetworkError
from pose_training.families.family import Family
from pose_training.families.topologies import AnyTopology

# name: module in this package, with the class FAMILY
_FAMILIES = {'paf': 'paf', 'heatmap': 'heatmap', 'cpm': 'cpm', 'boxes': 'detection',
             'part_locref': 'part_locref', 'part_pairwise': 'part_locref.pairwise'}


def make_family(name: str, topology: AnyTopology, **settings) -> Family:
    """Return a family for the keypoints of a topology; `settings` are those of its class.

    Raises NetworkError for an unknown family, PoseRosError for an unknown or invalid topology.
    """
    if name not in _FAMILIES:
        raise NetworkError('unknown family {!r}; choose {}'.format(name, ', '.join(_FAMILIES)))
    module = importlib.import_module('pose_training.families.' + _FAMILIES[name])
    return module.FAMILY(topology, **settings)
