# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read weights in PyTorch files: published ones, and checkpoints of this package.

Supported are the state dicts of trt_pose and of Lightweight OpenPose (also inside its training
checkpoint), and those ported from OpenPose: with Caffe's flat names, with the module names of
Hzzone/pytorch-openpose, and with those of TreB1eN/Pytorch0.4.1_Openpose.
"""
import os
import re
from typing import Dict, Mapping

import numpy as np
import torch

from pose_training.checkpoint import Checkpoint, find_checkpoint
from pose_training.errors import WeightsError
from pose_training.importers.limits import Budget, checked_name, most_elements
from pose_training.importers.matching import Weights
from pose_training.torch_file import load_torch_file
from pose_training.models.registry import NetworkSpec

_PARALLEL = 'module.'  # prefix of each name with DataParallel
_MOST_LISTED = 8

# A full name of another naming -> the flat one of Caffe. No two rules match the same name, and
# none matches a name of a network here.
_TO_CAFFE = tuple((re.compile(pattern), name) for pattern, name in (
    (r'base\.(?:vgg_base\.)?(conv\d_\d(?:_CPM)?\.(?:weight|bias))', r'\1'),
    (r'stage_1\.conv(\d)_CPM_(L\d\.(?:weight|bias))', r'conv5_\1_CPM_\2'),
    (r'stage_(\d)\.conv(\d)_(L\d\.(?:weight|bias))', r'Mconv\2_stage\1_\3'),
    (r'model\d(?:_\d)?\.(\w+\.(?:weight|bias))', r'\1'),
))


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Read a state dict; names become those of the network of `spec`, numbers float32.

    A checkpoint of this package also needs the options and the topology of its training.
    Raises WeightsError for a file that cannot be opened safely, or that has no weights.
    """
    data = load_torch_file(path)
    checkpoint = find_checkpoint(data, path)
    if checkpoint is None:
        return Weights(float_arrays(_tensors(data, path), path, spec))
    return _own(checkpoint, spec, path)


def _own(checkpoint: Checkpoint, spec: NetworkSpec, path: str) -> Weights:
    if checkpoint.name != spec.name:
        raise WeightsError('{} is a checkpoint of {}, not of {}; name that network'.format(
            path, checkpoint.name, spec.name))
    options = {**checkpoint.options, 'topology': checkpoint.topology}
    return Weights(float_arrays(checkpoint.state, path, spec), options)


def _tensors(data, path) -> Dict[str, torch.Tensor]:
    for key in ('state_dict', 'state'):
        if isinstance(data, Mapping) and isinstance(data.get(key), Mapping):
            data = data[key]
    if not isinstance(data, Mapping):
        raise WeightsError('{} holds {}, not a state dict (tensors by name)'.format(
            path, type(data).__name__))
    found = {name: value for name, value in data.items()
             if isinstance(name, str) and isinstance(value, torch.Tensor)}
    if not found and 'engine' in data:
        raise WeightsError('{} is a serialized TensorRT engine, only for one GPU and version of '
                           'TensorRT; use the weights that it was built from (for trt_pose, the '
                           'file without _trt)'.format(path))
    if not found:
        raise WeightsError('{} holds no tensors, only {}; give the file of the state dict'.format(
            path, ', '.join(map(repr, list(data)[:_MOST_LISTED])) or 'an empty dictionary'))
    return _renamed(found, path)


def _renamed(found, path):
    if all(name.startswith(_PARALLEL) for name in found):
        found = {name[len(_PARALLEL):]: tensor for name, tensor in found.items()}
    renamed = {_flat(name): tensor for name, tensor in found.items()}
    if len(renamed) < len(found):
        raise WeightsError('{} holds some weights twice, under different names; it mixes several '
                           'networks'.format(path))
    return renamed


def _flat(name):
    for pattern, replacement in _TO_CAFFE:
        match = pattern.fullmatch(name)
        if match:
            return match.expand(replacement)
    return name


def float_arrays(tensors: Mapping[str, torch.Tensor], path: str,
                 spec: NetworkSpec) -> Dict[str, np.ndarray]:
    """Return tensors as float32 arrays, without counters of batches.

    Raises WeightsError for other types than floats, and for more numbers than those of the file or
    of the network: a tensor may repeat its numbers.
    """
    numbers = Budget(max(2 * os.path.getsize(path), most_elements(spec)), path,
                     'holds more numbers than the network')
    wanted = {name: tensor.detach() for name, tensor in tensors.items()
              if not name.endswith('num_batches_tracked')}
    invalid = ['{} is {}'.format(name, _kind(tensor)) for name, tensor in wanted.items()
               if _kind(tensor)]
    for name, tensor in wanted.items():
        checked_name(name, path)
        numbers.spend(tensor.numel())
    if invalid:
        raise WeightsError('{} holds tensors that are not plain arrays of floats: {}{}; save the '
                           'network before it is quantized or converted'.format(
                               path, ', '.join(invalid[:_MOST_LISTED]),
                               ', ...' * (len(invalid) > _MOST_LISTED)))
    return {name: tensor.to(torch.float32).numpy() for name, tensor in wanted.items()}


def _kind(tensor):
    """Return why a tensor is no plain array of floats; '' if it is one."""
    if tensor.layout != torch.strided or tensor.device.type != 'cpu':
        return '{} on {}'.format(tensor.layout, tensor.device)
    return '' if tensor.is_floating_point() else str(tensor.dtype)
