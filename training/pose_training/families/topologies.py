# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Skeletons of this package by name, and own ones as the object of a model card or in a file."""
import os
from typing import Any, Dict, Mapping, Union


from pose_ros.core.errors import PoseRosError
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml
from pose_ros.core.topology import get_topology, make_topology, TOPOLOGIES, Topology
from pose_training.errors import ConfigError

# What a network is made for: a name, the `topology` object of a model card, or a Topology.
AnyTopology = Union[str, Mapping[str, Any], Topology]

_REQUIRED, _OPTIONAL = ('name', 'keypoint_names', 'limbs'), ('mirror',)
_FILES = ('.yaml', '.yml', '.json')


def as_topology(value: AnyTopology) -> Topology:
    """Return a skeleton; PoseRosError if it is unknown or invalid.

    The name of a skeleton of this package is only for that one.
    """
    if isinstance(value, str):
        return get_topology(value)
    topology = value if isinstance(value, Topology) else _parse(value)
    if topology.name in TOPOLOGIES and _content(topology) != _content(TOPOLOGIES[topology.name]):
        raise PoseRosError('the topology {!r} is one of this package, with other keypoints or '
                           'limbs: choose another name'.format(topology.name))
    return TOPOLOGIES.get(topology.name, topology)


def as_data(topology: Topology) -> Union[str, Dict[str, Any]]:
    """Return the name of a skeleton of this package; JSON data of any other one."""
    if topology.name in TOPOLOGIES:
        return topology.name
    return {'name': topology.name, 'keypoint_names': list(topology.keypoint_names),
            'limbs': [list(limb) for limb in topology.limbs], 'mirror': list(topology.mirror)}


def find_topology(text: str) -> Topology:
    """Return a skeleton by name, or of a YAML or JSON file; ConfigError if there is none."""
    if not text.lower().endswith(_FILES) and not os.path.isfile(text):
        try:
            return get_topology(text)
        except PoseRosError as error:
            raise ConfigError('unknown topology {!r}: it is `dataset`, a file (.yaml, .json), or '
                              'one of {}'.format(text, ', '.join(sorted(TOPOLOGIES)))) from error
    try:
        return as_topology(parse_yaml(read_file(text, LARGEST_CARD)))  # JSON is YAML
    except (OSError, ValueError) as error:
        raise ConfigError('cannot read the topology {}: {}'.format(text, error)) from error


def _parse(value):
    if not isinstance(value, Mapping):
        raise PoseRosError('a topology is a name or an object with the keys {}, not {!r}'.format(
            ', '.join(_REQUIRED), value))
    faults = ['missing key {!r}'.format(key) for key in _REQUIRED if key not in value]
    faults += ['unknown key {!r}'.format(key) for key in value if key not in _REQUIRED + _OPTIONAL]
    if faults:
        raise PoseRosError('{}; the keys of a topology are {}'.format(
            '; '.join(faults), ', '.join(_REQUIRED + _OPTIONAL)))
    return make_topology(value['name'], value['keypoint_names'], value['limbs'],
                         mirror=value.get('mirror'))


def _content(topology):
    return topology.keypoint_names, topology.limbs, topology.mirror
