# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow checkpoints of DeeperCut, ArtTrack and DeepLabCut up to 2 (snapshot-N.index).

Variables are those of slim's resnet_v1 and pose/HEAD/block4; pose_cfg.yaml beside the files has
the conventions. A checkpoint of the classifier alone becomes a start for a training.
"""
import re
from typing import Any, Dict, Optional

import numpy as np

from pose_training.errors import ConfigError, WeightsError
from pose_training.families.part_locref.targets import UNIT
from pose_training.families.topologies import as_topology
from pose_training.importers.matching import Weights
from pose_training.importers.part_heads import (in_units, keypoints_in, options_of,
                                                with_new_heads)
from pose_training.importers.pose_cfg import (beside, cfg_topology, project_of, read_yaml)
from pose_training.importers.spatial_models import read_tables
from pose_training.importers.tf_checkpoint import read_weights as read_checkpoint
from pose_training.models.registry import NetworkSpec

_SUPERVISED = 12  # the block of the intermediate supervision, unless pose_cfg.yaml has another
_HEADS = {'part_pred': 'scores', 'locref_pred': 'offsets', 'pairwise_pred': 'pairwise',
          'intermediate_supervision': 'intermediate'}
_BLOCK = re.compile(r'resnet_v1_(\d+)\.block(\d)\.unit_(\d+)\.bottleneck_v1\.'
                    r'(conv\d|shortcut)\.(BatchNorm\.)?(\w+)')
_ROOT = re.compile(r'resnet_v1_(\d+)\.conv1\.(BatchNorm\.)?(\w+)')
_HEAD = re.compile(r'pose\.(\w+)\.block4\.(\w+)')


def read_weights(path: str, spec: NetworkSpec, pose_cfg: str = '', pairwise: str = '') -> Weights:
    """Return the weights of a checkpoint, its keypoints, and the options that they need.

    `pose_cfg` is the configuration (default: pose_cfg.yaml beside the checkpoint); `pairwise` a
    folder with pairwise_stats.mat and spatial_model_cidx_*.mat, for a network of several people.
    WeightsError for files of another network.
    """
    cfg = read_yaml(pose_cfg) if pose_cfg else beside(path)
    _check_depth(cfg, spec, path)
    found = {state_name(name): array for name, array in read_checkpoint(path, spec).tensors.items()
             if state_name(name)}
    state: Dict[str, np.ndarray] = {name: array for name, array in found.items() if name}
    keypoints = keypoints_in(state, path)
    if not keypoints:
        options = options_of(state, as_topology(spec.topology), intermediate=0)
        return Weights(with_new_heads(state, spec, **options), options,
                       {'backbone': {'network': 'resnet_v1', 'trained_on': 'ImageNet'}})
    in_units(state, _number(cfg, 'locref_stdev', UNIT))
    supervised = 'intermediate.weight' in state
    options = options_of(
        state, cfg_topology(cfg, project_of(path), keypoints, path),
        intermediate=int(_number(cfg, 'intermediate_supervision_layer', _SUPERVISED))
        if supervised else 0)
    if spec.family == 'part_pairwise':
        state.update(_pairs(state, cfg, pairwise, keypoints, path))
    else:
        state = {name: array for name, array in state.items() if 'pairwise.' not in name}
    scale = _number(cfg, 'global_scale', 1.)
    return Weights(state, options, {'global_scale': scale})


def state_name(variable: str) -> Optional[str]:
    """Return the state name of a variable; None for one that is not part of the network."""
    for pattern, name in ((_ROOT, _root_name), (_BLOCK, _block_name), (_HEAD, _head_name)):
        match = pattern.fullmatch(variable)
        if match:
            return name(match)
    return None


def _root_name(match):
    return 'trunk.root.{}1.{}'.format('bn' if match[2] else 'conv', match[3])


def _block_name(match):
    _, level, unit, layer, norm, part = match.groups()
    if layer == 'shortcut':
        inner = 'downsample.{}'.format(1 if norm else 0)
    else:
        inner = layer.replace('conv', 'bn') if norm else layer
    return 'trunk.layer{}.{}.{}.{}'.format(level, int(unit) - 1, inner, part)


def _head_name(match):
    return '{}.{}'.format(_HEADS[match[1]], match[2]) if match[1] in _HEADS else None


def _check_depth(cfg, spec, path):
    depth = str(spec.options['backbone']).replace('resnet', 'resnet_')
    there = str(cfg.get('net_type', depth))
    if there != depth:
        raise WeightsError('{} is of the network type {} (pose_cfg.yaml), and {} of {}; networks '
                           'on resnet_50, resnet_101 and resnet_152 can be imported'.format(
                               path, there, spec.name, depth))
    if spec.options.get('form', 'slim') != 'slim':
        raise WeightsError('{} is a network of PyTorch; import checkpoints of TensorFlow as '
                           'part_detector_r{}'.format(spec.name, depth[7:]))


def _pairs(state, cfg, folder, keypoints, path):
    """Return the tables of pairs; orders the channels of the pairwise head in `state`."""
    if 'pairwise.weight' not in state:
        raise WeightsError('{} has no pairwise terms: import it as a part_detector of one '
                           'person'.format(path))
    if not folder:
        raise ConfigError('a network of several people needs --pairwise FOLDER with '
                          'pairwise_stats.mat and spatial_model_cidx_*.mat')
    needed = cfg.get('sparse_graph')
    tables, rows = read_tables(folder, keypoints, _number(cfg, 'global_scale', 1.), [
        pair for pair in needed if isinstance(pair, list) and len(pair) == 2
        and all(type(end) is int for end in pair)] if isinstance(needed, list) else ())
    if cfg.get('tensorflow_pairwise_order') is False:
        channels = np.stack([2 * rows, 2 * rows + 1], 1).ravel()
        for name, axis in (('pairwise.weight', 1), ('pairwise.bias', 0)):
            array = state.get(name, np.zeros(0))
            if array.shape[axis:axis + 1] == channels.shape:  # others are reported later
                state[name] = array.take(channels, axis)
    return {'pairs.' + name: value.numpy() for name, value in tables.state_dict().items()}


def _number(cfg: Dict[str, Any], key: str, default: float) -> float:
    value = cfg.get(key, default)
    if type(value) not in (int, float) or not 0 < value < 1e4:
        raise ConfigError('pose_cfg.yaml: {} must be a number above 0, not {!r}'.format(
            key, value))
    return float(value)
