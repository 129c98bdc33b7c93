# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The names of Simple Baselines' layers in the files of three publishers.

- human-pose-estimation.pytorch (Microsoft, MIT): conv1, bn1, layer1.0.conv1, ...,
  deconv_layers.0, deconv_layers.1, ..., final_layer
- mmpose (Apache-2.0): the same below backbone. and keypoint_head. (version 1: head.)
- TF-SimpleHumanPose (no license stated): resnet_v1_50/block1/unit_1/bottleneck_v1/conv1, ...,
  up1, up2, up3, out
"""
import re
from typing import Callable, Dict, Tuple

from pose_training.errors import WeightsError
from pose_training.importers.matching import Weights

_BLOCK = r'resnet_v1_\d+\.block(\d)\.unit_(\d+)\.bottleneck_v1\.'


def _unit(match):
    return 'trunk.layer{}.{}.'.format(match[1], int(match[2]) - 1)


_Rules = Tuple[Tuple[str, Callable], ...]
_TORCH: _Rules = (
    (r'(?:backbone\.)?((?:conv1|bn1|layer[1-4])\..+)', lambda match: 'trunk.' + match[1]),
    (r'(?:(?:keypoint_)?head\.)?deconv_layers\.(\d)\.(\w+)', lambda match:
     'deconv_layers.{}.{}.{}'.format(*divmod(int(match[1]), 3), match[2])),
    (r'(?:(?:keypoint_)?head\.)?final_layer\.(\w+)', lambda match: 'final_layer.' + match[1]))
_TENSORFLOW: _Rules = (
    (r'resnet_v1_\d+\.conv1\.weight', lambda match: 'trunk.conv1.weight'),
    (r'resnet_v1_\d+\.conv1\.BatchNorm\.(\w+)', lambda match: 'trunk.bn1.' + match[1]),
    (_BLOCK + r'shortcut\.weight', lambda match: _unit(match) + 'downsample.0.weight'),
    (_BLOCK + r'shortcut\.BatchNorm\.(\w+)',
     lambda match: _unit(match) + 'downsample.1.' + match[3]),
    (_BLOCK + r'(conv\d)\.weight', lambda match: '{}{}.weight'.format(_unit(match), match[3])),
    (_BLOCK + r'conv(\d)\.BatchNorm\.(\w+)',
     lambda match: '{}bn{}.{}'.format(_unit(match), match[3], match[4])),
    (r'up(\d)\.weight', lambda match: 'deconv_layers.{}.0.weight'.format(int(match[1]) - 1)),
    (r'up(\d)\.BatchNorm\.(\w+)',
     lambda match: 'deconv_layers.{}.1.{}'.format(int(match[1]) - 1, match[2])),
    (r'out\.(\w+)', lambda match: 'final_layer.' + match[1]))
_ORIGINS = {
    'microsoft': {},  # the one of the registry
    'mmpose': {'source': 'https://github.com/open-mmlab/mmpose', 'license': 'Apache-2.0'},
    'tensorflow': {'source': 'https://github.com/mks0601/TF-SimpleHumanPose',
                   'license': 'none stated: all rights reserved'}}


def named(weights: Weights, where: str) -> Weights:
    """Return the weights with the names of the network here, and its option `convention`.

    Weights of this package are returned as they are. Unknown names stay, so that the comparison
    with the network reports them. WeightsError, which names the file `where`, for a file that
    holds a layer twice.
    """
    names = list(weights.tensors)
    if any(name.startswith('trunk.') for name in names):
        return weights
    if any(name.startswith('resnet_v1_') for name in names):
        convention, rules = 'tensorflow', _TENSORFLOW
    else:
        convention = 'mmpose' if any(name.startswith('backbone.') for name in names) \
            else 'microsoft'
        rules = _TORCH
    renamed: Dict[str, str] = {}
    for name in names:
        own = _renamed(name, rules)
        if own in renamed:
            raise WeightsError('{} holds the layer {:.80} twice, as {:.80} and {:.80}'.format(
                where, own, renamed[own], name))
        renamed[own] = name
    return Weights({own: weights.tensors[name] for own, name in renamed.items()},
                   {**weights.options, 'convention': convention},
                   {**weights.provenance, **_ORIGINS[convention]})


def _renamed(name, rules):
    for pattern, make in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return make(match)
    return name
