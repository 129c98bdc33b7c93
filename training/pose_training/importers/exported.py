# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read ONNX files of `pose-train export`, to continue the training.

An exported convolution contains the batch norm after it, and the identity beside it. Here it gets
a batch norm that changes nothing. The statistics of that norm are not those of the data: train
with `model.bn_calibration_crops`, or with `optimizer.norm: frozen`.

A network may also begin with the layers that it shares with another one (`begins_with`).
"""
from typing import Dict

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from pose_ros.core.card_files import load_card
from pose_training.errors import WeightsError
from pose_training.families.topologies import as_data
from pose_training.importers.beginning import begun
from pose_training.importers.limits import checked_name, elements
from pose_training.importers.matching import Weights
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import create_model, networks, NetworkSpec
from pose_training.models.repvgg_fpn import Block
from pose_training.onnx_file import load_onnx

_PREFIX = 'network.'  # of the network within the exported module


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Read a file that was exported from the network, or from the one that it begins with.

    Layers that the other network does not have get random weights of a fixed seed. Raises
    WeightsError for other files.
    """
    card = load_card(path)
    made, name = card.provenance, str(card.provenance.get('network'))[:80]
    options = made.get('options', {})
    if name not in networks():  # of a training outside this package: the tensors decide
        name, options = spec.begins_with or spec.name, {}
    if name not in (spec.name, spec.begins_with) or not isinstance(options, dict) or (
            {'name', 'topology'} & options.keys()):
        raise WeightsError('{} was not exported from {}, but from {!r} (by its card)'.format(
            path, spec.name, name))
    options = {**options, 'topology': as_data(card.topology) if card.topology else ''}
    tensors = _tensors(path)
    try:
        with torch.device('meta'):  # only its layers and shapes are needed
            network = create_model(name, **options)
        state = {**_unfolded(network, tensors),
                 **network.state_of_facts(card.decoder.outputs)}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WeightsError('{} lacks the tensor {}; only unchanged fp32 and fp16 files of '
                           'pose-train export can be read'.format(path, error)) from error
    if name == spec.name:
        return Weights(state, options)
    return Weights(begun(spec, state), provenance={'backbone': {
        'network': name, 'trained_as': card.name, 'license': card.license,
        **{key: made[key] for key in ('teacher',) if key in made}}})


def _tensors(path) -> Dict[str, np.ndarray]:
    graph = load_onnx(path).graph
    # A weight that is stored as float16 has a suffix after a slash.
    return {checked_name(item.name, path)[len(_PREFIX):].partition('/')[0]: _array(item, path)
            for item in graph.initializer if item.name.startswith(_PREFIX)}


def _array(item, path):
    """Return a float32 or float16 initializer as float32."""
    sizes = {onnx.TensorProto.FLOAT: 4, onnx.TensorProto.FLOAT16: 2}
    if item.data_type not in sizes:
        raise WeightsError('{}: {} is of the data type {}; only unchanged fp32 and fp16 files of '
                           'pose-train export can be read'.format(path, item.name,
                                                                  item.data_type))
    values = len(item.raw_data) // sizes[item.data_type] or len(item.float_data)
    if elements(item.dims, values) != values:
        raise WeightsError('{}: {} does not have the numbers of its shape; the file is '
                           'damaged'.format(path, item.name))
    return numpy_helper.to_array(item).astype(np.float32)


def _unfolded(network: PoseNetwork, tensors) -> Dict[str, np.ndarray]:
    """Return the state of the network, from the state of its fused modules."""
    state = {}
    modules = dict(network.named_modules())
    for name, module in modules.items():
        block = isinstance(module, Block)
        layers = list(module.dense if block else module) if isinstance(
            module, (Block, nn.Sequential)) else []
        if len(layers) < 2 or not isinstance(layers[1], nn.BatchNorm2d) or name.endswith('.dense'):
            continue
        own = name + ('.dense.' if block else '.')
        weight, bias = tensors[name + '.0.weight'].copy(), tensors[name + '.0.bias']
        if block and module.residual and weight.shape[0] == weight.shape[1]:
            channels = np.arange(len(weight))
            weight[channels, channels, 1, 1] -= 1
        state[own + '0.weight'] = weight
        state.update((own + '1.' + key, value) for key, value in _norm(layers[1], bias).items())
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            state.update((name + key, tensors[name + key]) for key in ('.weight', '.bias'))
    return state


def _norm(norm, bias):
    """Return a batch norm that adds a bias and changes nothing else."""
    ones = np.ones_like(bias)
    return {'weight': ones, 'bias': bias, 'running_mean': 0 * ones,
            'running_var': ones - np.float32(norm.eps)}
