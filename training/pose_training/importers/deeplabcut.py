# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DeepLabCut projects: snapshots of PyTorch (DeepLabCut 3) and of TensorFlow (up to 2).

A snapshot-*.pt has the state under `model`; pytorch_config.yaml beside it tells its network. Of
these, ResNets with a HeatmapHead can be imported: one animal, without an own detector. A ResNet
of torchvision or timm (.pth) becomes a start for a training.
"""
import os
import re
from typing import Any, Dict, List, Mapping

import torch

from pose_ros.core.files import natural_key
from pose_training.errors import WeightsError
from pose_training.families.part_locref.targets import UNIT
from pose_training.families.topologies import as_topology
from pose_training.importers import deepercut
from pose_training.importers.matching import Weights
from pose_training.importers.part_heads import (in_units, keypoints_in, options_of,
                                                with_new_heads)
from pose_training.importers.pose_cfg import (beside, named_topology, PROJECT, project_of,
                                              read_yaml)
from pose_training.importers.torch_state import float_arrays
from pose_training.models.registry import NetworkSpec
from pose_training.torch_file import load_torch_file

_CONFIG = 'pytorch_config.yaml'
_RENAMED = tuple((re.compile(pattern), name) for pattern, name in (
    (r'backbone\.model\.(conv1|bn1)\.(\w+)', r'trunk.root.\1.\2'),
    (r'backbone\.model\.(layer\d\..+)', r'trunk.\1'),
    (r'heads\.bodypart\.heatmap_head\.deconv_layers\.0\.(\w+)', r'scores.\1'),
    (r'heads\.bodypart\.locref_head\.deconv_layers\.0\.(\w+)', r'offsets.\1')))
_HEAD = {'kernel_size': [3], 'strides': [2]}


def read_weights(path: str, spec: NetworkSpec, pose_cfg: str = '') -> Weights:
    """Return the weights of a snapshot, or of the best or newest one of a project's folder.

    WeightsError for a network that is not on a ResNet, or predicts otherwise.
    """
    if os.path.isdir(path):
        path = find_snapshot(path, spec)
    if path.endswith('.pth'):
        return _classifier(path, spec)
    if not path.endswith('.pt'):
        return deepercut.read_weights(path, spec, pose_cfg)
    config = beside(path, _CONFIG)
    if not config:
        raise WeightsError('{} has no {} beside it, which tells its network'.format(
            path, _CONFIG))
    model, head = _checked(config, spec, path)
    data = load_torch_file(path)
    tensors = data.get('model') if isinstance(data, Mapping) else None
    if not isinstance(tensors, Mapping) or not all(map(torch.is_tensor, tensors.values())):
        raise WeightsError('{} has no state dict `model`: it is no snapshot of DeepLabCut '
                           '3'.format(path))
    state = float_arrays({_renamed(name): value for name, value in tensors.items()}, path, spec)
    names = _keys(config.get('metadata')).get('bodyparts')
    names = names if isinstance(names, list) else []
    if keypoints_in(state, path) != len(names):
        raise WeightsError('{} has {} score maps, and {} has {} bodyparts'.format(
            path, keypoints_in(state, path), _CONFIG, len(names)))
    predictor = _keys(head.get('predictor'))
    in_units(state, _deviation(predictor.get('locref_std', UNIT), path))
    return Weights(state, options_of(
        state, named_topology(names, project_of(path)), groups=32 * model.endswith('_gn'),
        linear_scores=not predictor.get('apply_sigmoid', True)))


def _classifier(path, spec) -> Weights:
    """Return the weights of an ImageNet classifier of torchvision or timm, and new heads."""
    data = load_torch_file(path)
    if spec.options.get('form') != 'torch' or not isinstance(data, Mapping) or \
            not torch.is_tensor(data.get('layer4.0.conv1.weight')):
        raise WeightsError('{} is no ResNet of torchvision or timm, with which deeplabcut_r50 and '
                           'deeplabcut_r101 begin'.format(path))
    trunk = {_renamed('backbone.model.' + name): value for name, value in data.items()
             if isinstance(name, str) and not name.startswith('fc.') and torch.is_tensor(value)}
    state = float_arrays(trunk, path, spec)
    keypoints_in(state, path)
    options = options_of(state, as_topology(spec.topology),
                         groups=0 if 'trunk.root.bn1.running_mean' in state else 32)
    return Weights(with_new_heads(state, spec, **options), options,
                   {'backbone': {'network': 'ResNet', 'trained_on': 'ImageNet'}})


def find_snapshot(folder: str, spec: NetworkSpec) -> str:
    """Return the best or newest snapshot below a folder, of one shuffle; WeightsError if unclear.

    PyTorch snapshots are for networks of the form `torch`, those of TensorFlow for the others.
    """
    torch_form = spec.options.get('form') == 'torch'
    ending, pattern = ('.pt', r'snapshot-(best-)?\d+\.pt') if torch_form else (
        '.index', r'snapshot-(best-)?\d+\.index')
    found: Dict[str, List[str]] = {}
    for place, _, names in os.walk(folder):
        chosen = [name for name in names if re.fullmatch(pattern, name)]
        if chosen:
            found[place] = chosen
    iteration = _iteration(folder)
    places = [place for place in found if iteration in place.split(os.sep)] or list(found)
    if len(places) != 1:
        raise WeightsError('{} has {}; name a file snapshot-*{} itself{}'.format(
            folder, '{} folders of snapshots'.format(len(places)) if places
            else 'no snapshot-*{}'.format(ending), ending,
            ', such as in ' + places[0] if places else ''))
    names = sorted(found[places[0]], key=lambda name: ('best' in name, natural_key(name)))
    return os.path.join(places[0], names[-1])


def _iteration(folder):
    path = os.path.join(folder, PROJECT)
    return 'iteration-{}'.format(read_yaml(path).get('iteration')) if os.path.isfile(path) else ''


def _renamed(name):
    for pattern, replacement in _RENAMED:
        match = pattern.fullmatch(name)
        if match:
            return match.expand(replacement)
    return name


def _keys(value: Any) -> Dict[str, Any]:
    """Return a part of a configuration; {} if it has no keys."""
    return value if isinstance(value, dict) else {}


def _deviation(value, path) -> float:
    if type(value) not in (int, float) or not 0 < value < 1e4:
        raise WeightsError('{}: locref_std in {} must be a number above 0, not {!r}'.format(
            path, _CONFIG, value))
    return float(value)


def _checked(config, spec, path):
    """Return the name of the backbone, and the head, if this package has such a network."""
    model = _keys(config.get('model'))
    heads, backbone = _keys(model.get('heads')), _keys(model.get('backbone'))
    head = _keys(heads.get('bodypart'))
    name = str(backbone.get('model_name'))
    wanted = str(spec.options['backbone'])
    maps = [_keys(head.get(key)) for key in ('heatmap_config', 'locref_config')]
    faults = [text for holds, text in (
        (spec.options.get('form') == 'torch', 'it is a PyTorch snapshot, for deeplabcut_r50 or '
                                              'deeplabcut_r101, not ' + spec.name),
        (backbone.get('type') == 'ResNet' and name in (wanted, wanted + '_gn'),
         'its backbone is {} {}, not a ResNet {}'.format(backbone.get('type'), name, wanted)),
        (backbone.get('output_stride') == 16, 'the stride of its backbone is {}, not 16'.format(
            backbone.get('output_stride'))),
        (head.get('type') == 'HeatmapHead', 'its head is a {}, not a HeatmapHead'.format(
            head.get('type'))),
        (list(heads) == ['bodypart'], 'it has other heads besides bodypart'),
        (all({key: part.get(key) for key in _HEAD} == _HEAD and 'final_conv' not in part
             for part in maps), 'its heads are not one 3x3 layer of stride 2')) if not holds]
    if faults:
        raise WeightsError('{} cannot be imported: {}'.format(path, faults[0]))
    return name, head
