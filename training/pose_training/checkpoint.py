# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: the weights of a network, its recipe and its provenance.

The file is a dictionary that torch.save wrote: 'format', 'version', 'name', 'topology', 'options',
'provenance' and 'state_dict'. A larger checkpoint, such as a trainer's, may have that dictionary
under the key 'pose_training', and more entries.
"""
import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor

from pose_training.errors import NetworkError, WeightsError
from pose_training.torch_file import load_torch_file, save_torch_file
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import create_model

FORMAT = 'pose_training'
VERSION = 1

_MOST_LISTED, _MOST_AXES = 8, 8
_KINDS = {'name': str, 'topology': (str, Mapping), 'options': Mapping, 'provenance': Mapping,
          'state_dict': Mapping}


class Checkpoint(NamedTuple):
    """The content of a checkpoint: `create_model(name, topology, **options)`, and its state."""

    name: str
    topology: Union[str, Dict[str, Any]]
    options: Dict[str, Any]
    provenance: Dict[str, Any]
    state: Dict[str, Tensor]


def checkpoint_data(network: PoseNetwork,
                    provenance: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Return the dictionary of a network, tensors on the CPU, for torch.save.

    `provenance` is JSON data. Raises NetworkError for a network that cannot be built again from
    its recipe: one that is not of `create_model`, or is already fused.
    """
    recipe = getattr(network, 'recipe', None)
    if recipe is None:
        raise NetworkError('a {} without a recipe cannot be saved; build networks with '
                           'create_model'.format(type(network).__name__))
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    with torch.device('meta'):
        again = create_model(recipe.name, recipe.topology, **recipe.options).state_dict()
    if _shapes(again) != _shapes(state):
        raise NetworkError('the layers of this {} are no longer those it was built with; save a '
                           'network before it is fused for inference'.format(recipe.name))
    return {'format': FORMAT, 'version': VERSION, 'name': recipe.name,
            'topology': recipe.topology, 'options': _plain(recipe.options, 'options'),
            'provenance': _plain(provenance or {}, 'provenance'), 'state_dict': state}


def save_checkpoint(path: str, network: PoseNetwork,
                    provenance: Optional[Dict[str, Any]] = None) -> None:
    """Write a checkpoint; an incomplete file is never left.

    Raises NetworkError as `checkpoint_data`, WeightsError if the file cannot be written.
    """
    data = checkpoint_data(network, provenance)
    try:
        save_torch_file(path, data)
    except OSError as error:
        raise WeightsError('cannot write {}: {}'.format(path, error.strerror or error)) from error


def load_checkpoint(path: str) -> Tuple[PoseNetwork, Dict[str, Any]]:
    """Build the network of a checkpoint, in evaluation mode, and return it and its provenance.

    Raises WeightsError for a file that is no checkpoint, is damaged, or does not fit its network;
    NetworkError for a network that cannot be built here.
    """
    found = find_checkpoint(load_torch_file(path), path)
    if found is None:
        raise WeightsError('{} is no checkpoint of this package; `pose-train import` reads the '
                           'published weights of others'.format(path))
    recipe = {**found.options, 'name': found.name, 'topology': found.topology}
    try:
        with torch.device('meta'):  # its shapes, before any memory is used for it
            _check_state(found.state, create_model(**recipe).state_dict(), path)
        network = create_model(**recipe)
    except NetworkError as error:
        raise NetworkError('{}: {}'.format(path, error)) from error
    network.load_state_dict(found.state)
    return network.eval(), found.provenance


def _check_state(state, wanted, path):
    faults = ['Missing: {}'.format(name) for name in wanted if name not in state]
    faults += ['Unexpected: {:.80}'.format(name) for name in state if name not in wanted]
    faults += ['size mismatch for {}: {}, not {}'.format(
        name, tuple(state[name].shape[:_MOST_AXES]), tuple(value.shape))
        for name, value in wanted.items() if name in state and state[name].shape != value.shape]
    faults = faults or ['{} {}'.format(name, _fault(state[name], value.dtype))
                        for name, value in wanted.items() if _fault(state[name], value.dtype)]
    if faults:
        raise WeightsError('{} does not fit its network: {}{}'.format(
            path, '; '.join(faults[:_MOST_LISTED]),
            '; and {} more'.format(len(faults) - _MOST_LISTED)
            if len(faults) > _MOST_LISTED else ''))


def _fault(tensor, dtype):
    """Return what is wrong with the numbers of a tensor; '' if it can be loaded."""
    if tensor.layout != torch.strided or tensor.device.type != 'cpu' or tensor.is_quantized:
        return 'is no plain tensor'
    if tensor.is_floating_point() != dtype.is_floating_point or tensor.is_complex():
        return 'is {}, not {}'.format(tensor.dtype, dtype)
    return '' if torch.isfinite(tensor).all() else 'has values that are not finite'


def find_checkpoint(data: object, path: str) -> Optional[Checkpoint]:
    """Return the checkpoint in the content of a file, None if there is none.

    Raises WeightsError for one of a later version, or with an entry that is missing or invalid.
    """
    if isinstance(data, Mapping) and isinstance(data.get(FORMAT), Mapping):
        data = data[FORMAT]
    mark = data.get('format') if isinstance(data, Mapping) else None
    if not isinstance(mark, str) or mark != FORMAT:
        return None
    version = data.get('version')
    if type(version) is not int or version != VERSION:
        raise WeightsError('{} is a checkpoint of version {:.40}, and this program reads {}; use '
                           'the version of pose_training that wrote it'.format(
                               path, repr(version), VERSION))
    invalid = [key for key, kind in _KINDS.items() if not isinstance(data.get(key), kind)]
    if invalid or not all(isinstance(key, str) and key not in _KINDS for key in data['options']):
        raise WeightsError('{} is not a whole checkpoint: {} missing or invalid; save it '
                           'again'.format(path, ', '.join(invalid or ['options'])))
    strange = [str(name) for name, value in data['state_dict'].items()
               if not isinstance(name, str) or not isinstance(value, Tensor)]
    if strange:
        raise WeightsError('{} is not a whole checkpoint: {} in its state_dict is no tensor; save '
                           'it again'.format(path, strange[0]))
    try:
        plain = {key: _plain(data[key], key) for key in ('topology', 'options', 'provenance')}
    except NetworkError as error:
        raise WeightsError('{} is not a whole checkpoint: {}; save it again'.format(
            path, error)) from error
    return Checkpoint(data['name'], plain['topology'], plain['options'], plain['provenance'],
                      dict(data['state_dict']))


def _shapes(state):
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _plain(value, what):
    """Return the JSON data as plain types; numbers that JSON does not have become None."""
    try:
        return json.loads(json.dumps(value), parse_constant=lambda _: None)
    except (TypeError, ValueError, RecursionError) as error:
        raise NetworkError('the {} of a checkpoint must be JSON data: {}'.format(
            what, error)) from error
