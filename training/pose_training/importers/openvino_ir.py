# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read the OpenVINO IR (.xml and .bin) of Intel's human-pose-estimation-0001.

Its forms are float16, float32 and int8. In the int8 file a weight is a byte that a FakeQuantize
maps to a float; these floats are read. The FakeQuantize nodes on activations limit and round for
integer units, and are left out. Operations: https://docs.openvino.ai, opset 1.
"""
import os
from typing import Dict, List, NamedTuple, Optional, Tuple
from xml.etree import ElementTree

import numpy as np

from pose_training.errors import WeightsError
from pose_training.importers.limits import (Budget, checked_name, elements, MOST_AXES,
                                            most_elements, read_bounded)
from pose_training.importers.matching import Weights
from pose_training.models.registry import NetworkSpec

_VERSIONS = ('10', '11')
_TYPES = {'f16': '<f2', 'f32': '<f4', 'f64': '<f8', 'i8': '<i1', 'u8': '<u1', 'i32': '<i4',
          'i64': '<i8'}
_CONVOLUTIONS = ('Convolution', 'GroupConvolution')
_MOST_SUMS = 8  # additions of one output; Intel's file has 2
_DEEPEST = 6  # operations between a constant and its convolution; Intel's file has 3
_LARGEST_XML, _LARGEST_BIN = 1 << 22, 1 << 27  # bytes; Intel's largest have 2 and 17 million
_READS = {'Convert': 1, 'FakeQuantize': 5, 'Multiply': 2, 'Reshape': 2, 'Subtract': 2}


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Read the .xml (or .bin) of a pair; WeightsError if it is not Intel's network.

    Weights and biases get the state names of `human_pose_estimation_0001`; other convolutions
    keep their own names, so that the import reports them.
    """
    found, names = read_convolutions(path, most_elements(spec)), _state_names()
    missing = [layer for layer in names if layer not in found]
    if missing:
        raise WeightsError('{}: {} of the {} convolutions of {} are missing, the first is {!r}. '
                           'Is it the file of another network?'.format(
                               path, len(missing), len(names), spec.name, missing[0]))
    tensors = {}
    for layer, (weight, bias) in found.items():
        tensors[names.get(layer, layer) + '.weight'] = weight
        tensors[names.get(layer, layer) + '.bias'] = bias
    _reorder_inputs(tensors)
    return Weights({name: value.astype(np.float32) for name, value in tensors.items()})


def read_convolutions(path: str, most: int) -> Dict[str, Tuple[np.ndarray, np.ndarray]]:
    """Return (weight, bias) of each convolution by layer name, float64, (out, in, kh, kw).

    A convolution without bias has a bias of zeros. `most` is the largest number of constant values
    that all of them read. Raises WeightsError for an invalid file.
    """
    graph = _Graph(path, most)
    return {layer.name.replace('/WithoutBiases', ''): graph.convolution(number)
            for number, layer in graph.layers.items() if layer.kind in _CONVOLUTIONS}


def _state_names() -> Dict[str, str]:
    """Return the state name, without its ending, of each convolution of Intel's network."""
    names = {'conv1': 'model.0.0', 'conv4_3_CPM/al': 'cpm.align.0',
             'conv4_3_CPM/red': 'cpm.trunk.0.0', 'conv4_4_CPM': 'cpm.conv.0'}
    backbone = '2_1 2_2 3_1 3_2 4_1 4_2 5_1 5_2 5_3 5_4 5_5'.split()
    for index, layer in enumerate(backbone, 1):
        names['conv{}/dw'.format(layer)] = 'model.{}.0'.format(index)
        names['conv{}/sep'.format(layer)] = 'model.{}.2'.format(index)
    for index, point in enumerate(('dw1/1x1', 'dw2/1x1', 'inc'), 1):
        names['conv4_3_CPM/dw{}'.format(index)] = 'cpm.trunk.{}.0'.format(index)
        names['conv4_3_CPM/' + point] = 'cpm.trunk.{}.2'.format(index)
    for index in range(3):
        names['conv5_{}_CPM_L1'.format(index + 1)] = 'initial_stage.trunk.{}.0'.format(index)
    for index in range(5):
        layer = 'Mconv{}_stage2_L1/'.format(index + 1)
        block = 'refinement_stages.0.trunk.{}.'.format(index)
        names.update({layer + 'sq': block + 'initial.0', layer + '3x3': block + 'trunk.0.0',
                      layer + '3x3/2': block + 'trunk.1.0'})
    for branch, maps in (('L1', 'pafs'), ('L2', 'heatmaps')):
        for index in range(2):
            names['conv5_{}_CPM_{}'.format(index + 4, branch)] = 'initial_stage.{}.{}.0'.format(
                maps, index)
            names['Mconv{}_stage2_{}'.format(index + 6, branch)] = \
                'refinement_stages.0.{}.{}.0'.format(maps, index)
    return names


def _reorder_inputs(tensors) -> None:
    """Reverse the input of the refinement to the order [features, heatmaps, PAFs]."""
    name = 'refinement_stages.0.trunk.0.initial.0.weight'
    pafs = tensors['initial_stage.pafs.1.0.bias'].size
    heatmaps = tensors['initial_stage.heatmaps.1.0.bias'].size
    parts = np.split(tensors[name], [pafs, pafs + heatmaps], axis=1)
    tensors[name] = np.concatenate(parts[::-1], axis=1)


class _Layer(NamedTuple):
    name: str
    kind: str
    data: Dict[str, str]


class _Graph:
    """The layers of an IR, their inputs, and the values of the constants."""

    def __init__(self, path: str, most: int):
        base, ending = os.path.splitext(path)
        if ending not in ('.xml', '.bin'):
            raise WeightsError('{}: an OpenVINO network is a pair of files, .xml and .bin; name '
                               'one of them'.format(path))
        self.path = base + '.xml'
        root = _parse(_read(self.path, _LARGEST_XML), self.path)
        self._bin = _read(base + '.bin', _LARGEST_BIN)
        self._numbers = Budget(most, self.path, 'reads more numbers than the network has')
        self.layers: Dict[str, _Layer] = {}
        try:
            for layer in root.iterfind('layers/layer'):
                data = layer.find('data')
                self.layers[checked_name(layer.attrib['id'], self.path)] = _Layer(
                    checked_name(layer.attrib['name'], self.path),
                    checked_name(layer.attrib['type'], self.path),
                    {} if data is None else dict(data.attrib))
            self._sums: Dict[str, List[str]] = {}  # additions by what they read
            self._inputs: Dict[str, List[str]] = {number: [] for number in self.layers}
            for edge in sorted(root.iterfind('edges/edge'),
                               key=lambda edge: int(edge.attrib['to-port'])):
                source = edge.attrib['from-layer']
                if source not in self.layers:
                    raise KeyError('layer ' + source)
                self._inputs[edge.attrib['to-layer']].append(source)
                if self.layers[edge.attrib['to-layer']].kind == 'Add':
                    self._sums.setdefault(source, []).append(edge.attrib['to-layer'])
        except (KeyError, ValueError) as error:
            raise WeightsError('{}: a layer or an edge lacks {}; the file is damaged'.format(
                self.path, error)) from error

    def convolution(self, number: str) -> Tuple[np.ndarray, np.ndarray]:
        """Return weight (out, in per group, kh, kw) and bias (out) of a convolution."""
        layer, inputs = self.layers[number], self._inputs[number]
        weight = self._value(inputs[1]) if len(inputs) == 2 else None
        grouped = layer.kind == 'GroupConvolution'
        if weight is None or weight.ndim != 4 + grouped or not weight.size:
            raise WeightsError('{}: layer {!r} should be a 2-D convolution with constant weights; '
                               'the network is not one that can be read'.format(
                                   self.path, layer.name))
        if grouped:
            weight = weight.reshape((-1,) + weight.shape[2:])
        bias = self._bias(number)
        return weight, np.zeros(len(weight)) if bias is None else bias

    def _bias(self, number):
        for target in self._sums.get(number, ())[:_MOST_SUMS]:
            others = [source for source in self._inputs[target] if source != number]
            value = self._value(others[0]) if len(others) == 1 else None
            if value is not None:
                return value.reshape(-1)
        return None

    def _value(self, number, depth=0) -> Optional[np.ndarray]:
        """Return the output of a layer, float64; None if it depends on the image."""
        layer = self.layers[number]
        if layer.kind == 'Const':
            return self._constant(layer)
        inputs = self._inputs[number]
        if layer.kind not in _OPERATIONS or depth == _DEEPEST or (
                len(inputs) != _READS[layer.kind]):
            return None
        self._numbers.spend(1)
        values = [self._value(source, depth + 1) for source in inputs]
        if any(value is None for value in values):
            return None
        try:
            return _OPERATIONS[layer.kind](layer.data, *values)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise WeightsError('{}: layer {!r} ({}) cannot be computed: {:.200}; the file is '
                               'damaged'.format(self.path, layer.name, layer.kind,
                                                str(error))) from error

    def _constant(self, layer):
        try:
            shape = [int(size) for size in layer.data['shape'].split(',') if size]
            start, size = int(layer.data['offset']), int(layer.data['size'])
            kind = np.dtype(_TYPES[layer.data['element_type']])
        except (KeyError, ValueError) as error:
            raise WeightsError('{}: constant {!r}: cannot use {:.200}; supported are numbers '
                               'of type {}'.format(self.path, layer.name, str(error),
                                                   ', '.join(_TYPES))) from error
        count = elements(shape, len(self._bin))
        if min(start, size, count) < 0 or start + size > len(self._bin) \
                or size != kind.itemsize * count:
            raise WeightsError('{}: constant {!r} ({} of {}) does not fit bytes {} to {} of the '
                               '.bin, which has {}; copy both files again'.format(
                                   self.path, layer.name, shape[:MOST_AXES + 1], kind, start,
                                   start + size, len(self._bin)))
        self._numbers.spend(count + 1)
        values = np.frombuffer(self._bin, kind, size // kind.itemsize, start)
        return values.reshape(shape).astype(np.float64)


def _read(path, most):
    try:
        return read_bounded(path, most, 'part of an OpenVINO network')
    except WeightsError as error:
        raise WeightsError('{}; an OpenVINO network is a pair of files, .xml and .bin, side by '
                           'side'.format(error)) from error


def _parse(content, path):
    """Return the root of the .xml; document types are rejected, because entities can grow."""
    try:
        text = content.decode('utf-8')
        if '<!DOCTYPE' in text:
            raise WeightsError('{}: the file declares a document type, which no OpenVINO file '
                               'does; take it from its publisher'.format(path))
        root = ElementTree.fromstring(text)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise WeightsError('{} is not an OpenVINO .xml: {}'.format(path, error)) from error
    if root.tag != 'net' or root.get('version') not in _VERSIONS:
        raise WeightsError('{}: expected an OpenVINO network (<net>) of IR version {}, found '
                           '<{:.40}> of version {!s:.40}; convert it with a newer OpenVINO'.format(
                               path, ' or '.join(_VERSIONS), root.tag, root.get('version')))
    return root


def _fake_quantize(data, values, *limits):
    """Compute FakeQuantize-1: limit to the input range, round to `levels`, map to the output.

    A byte of weights is on a level already, so that only the mapping changes it.
    """
    in_low, in_high, out_low, out_high = (np.broadcast_to(limit, values.shape)
                                          for limit in limits)
    steps = int(data['levels']) - 1
    if steps < 1:
        raise ValueError('{} levels are too few'.format(steps + 1))
    span = np.where(in_high > in_low, in_high - in_low, 1)
    level = np.rint((values - in_low) / span * steps)
    inside = level / steps * (out_high - out_low) + out_low
    return np.where(values <= np.minimum(in_low, in_high), out_low,
                    np.where(values > np.maximum(in_low, in_high), out_high, inside))


def _reshape(data, values, shape):
    sizes = shape.astype(np.int64).tolist()
    if data.get('special_zero', 'false').lower() in ('true', '1'):
        sizes = [size or values.shape[axis] if axis < values.ndim else size
                 for axis, size in enumerate(sizes)]
    return values.reshape(sizes)


_OPERATIONS = {
    'Convert': lambda data, values: values,
    'FakeQuantize': _fake_quantize,
    'Multiply': lambda data, values, factor: values * np.broadcast_to(factor, values.shape),
    'Reshape': _reshape,
    'Subtract': lambda data, values, zero: values - np.broadcast_to(zero, values.shape),
}
