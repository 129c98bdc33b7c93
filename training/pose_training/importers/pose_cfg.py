# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The files of DeeperCut and DeepLabCut that describe a network: keypoints and conventions."""
import os
from typing import Any, Dict, List, Optional, Sequence, Tuple

from pose_ros.core.errors import PoseRosError
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_yaml import parse_yaml
from pose_ros.core.topology import get_topology, make_topology, Topology
from pose_training.data.categories import usual_name
from pose_training.errors import ConfigError

POSE_CFG, PROJECT = 'pose_cfg.yaml', 'config.yaml'
_LEVELS = 4  # folders between a project and one of its training folders
# DeeperCut's order of MPII's keypoints, and that of Penn Action.
PEOPLE_14 = make_topology('deepercut_14', (
    'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle',
    'right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist',
    'upper_neck', 'head_top'), ((0, 1), (1, 2), (2, 8), (3, 4), (4, 5), (3, 9), (6, 7), (7, 8),
                                (9, 10), (10, 11), (8, 12), (9, 12), (12, 13)))
PENN_13 = make_topology('penn_13', (
    'head', 'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist',
    'right_wrist', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle',
    'right_ankle'), ((0, 1), (0, 2), (1, 3), (3, 5), (2, 4), (4, 6), (1, 7), (2, 8), (7, 9),
                     (9, 11), (8, 10), (10, 12)))
_BY_TYPE = {'mpii': PEOPLE_14, 'coco': get_topology('coco_17'), 'penn_action': PENN_13}


def read_yaml(path: str) -> Dict[str, Any]:
    """Return the keys of a YAML file; ConfigError if it has none."""
    try:
        data = parse_yaml(read_file(path, LARGEST_CARD))
    except (OSError, ValueError) as error:
        raise ConfigError('cannot read {}: {}'.format(path, error)) from error
    if not isinstance(data, dict):
        raise ConfigError('{} has no keys'.format(path))
    return data


def beside(path: str, name: str = POSE_CFG) -> Dict[str, Any]:
    """Return the keys of a file beside another one; {} if there is none."""
    found = os.path.join(os.path.dirname(os.path.abspath(path)), name)
    return read_yaml(found) if os.path.isfile(found) else {}


def project_of(path: str) -> Dict[str, Any]:
    """Return the config.yaml of the project that a snapshot or its folder is in; {} without."""
    folder = os.path.dirname(os.path.abspath(path))
    found = os.path.join(folder, *['..'] * _LEVELS, PROJECT)
    return read_yaml(found) if os.path.isfile(found) else {}


def cfg_topology(cfg: Dict[str, Any], project: Dict[str, Any],
                 keypoints: int, where: str) -> Topology:
    """Return the skeleton of a TensorFlow network of `keypoints`.

    `cfg` is pose_cfg.yaml, `project` the config.yaml of a DeepLabCut project. Without either, 14
    keypoints are DeeperCut's of MPII, and 17 those of COCO. ConfigError if they contradict the
    network.
    """
    known = _BY_TYPE.get(str(cfg.get('dataset_type')))
    if known is not None and known.size == keypoints:
        return known
    names = cfg_names(cfg)
    if not names and cfg.get('dataset_type') is None:
        for topology in _BY_TYPE.values():
            if topology.size == keypoints:
                return topology
    if len(names) != keypoints:
        raise ConfigError('{}: the network has {} keypoints, and {} names {}: {}'.format(
            where, keypoints, POSE_CFG, len(names), ', '.join(names) or 'none; put it beside the '
            'weights, or name it (--pose-cfg)'))
    return named_topology(names, project)


def cfg_names(cfg: Dict[str, Any]) -> List[str]:
    """Return the names of the keypoints, in their order; a group of two is right and left."""
    groups, names = (value if isinstance(value, list) else [] for value in (
        cfg.get('all_joints'), cfg.get('all_joints_names')))
    found: Dict[int, str] = {}
    for group, name in zip(groups, names):
        ends = group if isinstance(group, list) else [group]
        sides: Sequence[str] = ('',) if len(ends) == 1 else ('right_', 'left_')
        found.update((end, side + str(name)) for end, side in zip(ends, sides)
                     if type(end) is int)
    return [found[key] for key in sorted(found)] if sorted(found) == list(range(len(found))) \
        else []


def named_topology(names: Sequence[str], project: Dict[str, Any]) -> Topology:
    """Return the skeleton of a DeepLabCut project: free names, and the lines of its drawings."""
    usual = [usual_name(name) for name in names]
    title = usual_name(str(project.get('Task') or 'deeplabcut')) or 'deeplabcut'
    try:
        return make_topology(title, usual, _limbs(project.get('skeleton'), usual))
    except PoseRosError as error:
        raise ConfigError('the keypoints of {}: {}'.format(PROJECT, error)) from error


def _limbs(skeleton: Optional[Any], names: Sequence[str]) -> List[Tuple[int, int]]:
    """Return the lines whose ends are keypoints, each once."""
    limbs: Dict[frozenset, Tuple[int, int]] = {}
    for line in skeleton if isinstance(skeleton, list) else []:
        ends = [usual_name(end) for end in line] if isinstance(line, list) else []
        if len(ends) == 2 and ends[0] != ends[1] and all(end in names for end in ends):
            limbs.setdefault(frozenset(ends), (names.index(ends[0]), names.index(ends[1])))
    return list(limbs.values())
