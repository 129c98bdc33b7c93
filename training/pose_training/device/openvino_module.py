# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An OpenVINO network of crops as a PyTorch module: any batch, any float type, any device.

It supports the operations of PP-TinyPose (LiteHRNet with channel shuffles), published with static
shapes; operations that only compute shapes are left out. Operations: https://docs.openvino.ai.
"""
from typing import Any, Dict, List, Sequence, Tuple
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_ros.core.reading import LARGEST_MODEL, LARGEST_XML, read_file
from pose_training.distillation.layers import unknown_layer
from pose_training.errors import WeightsError

_TYPES = {'f32': np.float32, 'f16': np.float16, 'i64': np.int64, 'i32': np.int32,
          'u64': np.uint64, 'boolean': np.bool_}
_OF_SHAPES = {'ShapeOf', 'StridedSlice', 'Divide', 'Multiply', 'TopK', 'Squeeze', 'Parameter'}
_PERHAPS_OF_SHAPES = {'Concat', 'Convert', 'Reshape', 'Add'}
_WITH_WEIGHTS = {'Convolution', 'GroupConvolution', 'Add'}
_CONVOLUTIONS = {'Convolution', 'GroupConvolution'}


class _Layer:
    """One operation: its type, attributes, sources (layer, port), and output shapes by port."""

    def __init__(self, element, edges):
        self.number, self.kind = element.get('id'), element.get('type')
        self.name = element.get('name')
        data, outputs, inputs = (element.find(name) for name in ('data', 'output', 'input'))
        self.data: Dict[str, str] = {} if data is None else dict(data.attrib)
        self.shapes = {} if outputs is None else {
            port.get('id'): [int(side.text) for side in port.findall('dim')] for port in outputs}
        self.sources = [] if inputs is None else [edges[self.number, port.get('id')]
                                                  for port in inputs]

    @property
    def shape(self) -> List[int]:
        """Return the shape of the first output."""
        return next(iter(self.shapes.values()))

    def numbers(self, name: str) -> List[int]:
        """Return an attribute that is a list of numbers."""
        text = self.data.get(name, '')
        return [int(number) for number in text.split(',')] if text else []


class OpenVinoModule(nn.Module):
    """Maps (N, 3, h, w) to the one output of four axes, (N, C, h', w')."""

    def __init__(self, path: str):
        """Read the .xml and its .bin; WeightsError for files that cannot be read."""
        super().__init__()
        layers, weights = _read(path)
        self._steps: List[_Layer] = []
        self._result: Tuple[str, str] = ('', '')
        self._input = next(layer.number for layer in layers if layer.kind == 'Parameter')
        constants: Dict[str, np.ndarray] = {}
        shapes = {layer.number: layer.shapes for layer in layers}
        positions = _cells(layers)
        for layer in layers:
            if layer.kind == 'Const':
                constants[layer.number] = _constant(layer, weights)
            elif layer.kind == 'Convert' and layer.sources[0][0] in constants:
                constants[layer.number] = constants[layer.sources[0][0]].astype(np.float32)
            elif layer.kind == 'Result':
                source, port = layer.sources[0]
                if len(shapes[source][port]) == 4:
                    self._result = source, port
            elif layer.kind not in _OF_SHAPES and not _only_shapes(layer, positions):
                self._keep(layer, constants)
        self._last = {source: index for index, layer in enumerate(self._steps)
                      for source, _ in layer.sources}
        self._last[self._result[0]] = len(self._steps)

    def _keep(self, layer, constants):
        """Append a step with its weights."""
        for source, _ in layer.sources[1:] if layer.kind in _WITH_WEIGHTS else ():
            if source in constants:
                self.register_buffer('weight_' + source, torch.from_numpy(
                    constants[source].astype(np.float32)))
        self._steps.append(layer)

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.with_layers(image, ())[0]

    def channels(self, name: str) -> int:
        """Return the number of channels of a layer with one output; DataError for another."""
        shapes = {layer.name: layer.shape for layer in self._steps if len(layer.shapes) == 1}
        if name not in shapes:
            raise unknown_layer(name, 'the teacher', list(shapes))
        return shapes[name][1]

    def with_layers(self, image: Tensor, names: Sequence[str]) -> Tuple[Tensor, List[Tensor]]:
        """Return the output, and the outputs (N, C, h, w) of layers, in the order of `names`."""
        values: Dict[str, Any] = {self._input: image}
        kept: Dict[str, Tensor] = {}
        for index, layer in enumerate(self._steps):
            values[layer.number] = found = self._run(layer, values)
            if layer.name in names:
                kept[layer.name] = found
            for source, _ in layer.sources:
                if self._last.get(source) == index:
                    values.pop(source, None)
        return values[self._result[0]], [kept[name] for name in names]

    def _run(self, layer, values):
        """Return the output of a step; of Split a dictionary by port."""
        found = [values[source][port] if isinstance(values[source], dict) else values[source]
                 for source, port in layer.sources if source in values]
        if layer.kind in _CONVOLUTIONS:
            return self._convolved(layer, found[0])
        if layer.kind == 'Add':
            return found[0] + (found[1] if len(found) > 1 else self._weight(layer))
        if layer.kind == 'ReLU':
            return found[0].relu()
        if layer.kind == 'Concat':
            return torch.cat(found, 1)
        if layer.kind == 'Split':
            return dict(zip(layer.shapes, found[0].chunk(int(layer.data['num_splits']), 1)))
        if layer.kind == 'Reshape':  # of a channel shuffle, which the Transpose does
            return found[0]
        if layer.kind == 'Transpose':
            return _shuffled(found[0])
        if layer.kind == 'Interpolate':
            options = {} if layer.data['mode'] == 'nearest' else {'align_corners': True}
            mode = 'bilinear' if options else 'nearest'
            return functional.interpolate(found[0], layer.shape[2:], mode=mode, **options)
        raise WeightsError('the operation {} cannot be run here'.format(layer.kind))

    def _weight(self, layer):
        return getattr(self, 'weight_' + layer.sources[1][0])

    def _convolved(self, layer, features):
        weight, groups = self._weight(layer), 1
        if layer.kind == 'GroupConvolution':
            groups, weight = weight.shape[0], weight.flatten(0, 1)
        return functional.conv2d(features, weight, None, layer.numbers('strides'),
                                 layer.numbers('pads_begin'), 1, groups)


def _read(path) -> Tuple[List[_Layer], bytes]:
    try:
        text = read_file(path, LARGEST_XML).decode('utf-8')
        if '<!DOCTYPE' in text:
            raise ValueError('it has a document type, whose entities can grow without end')
        root = ElementTree.fromstring(text)
        edges = {(edge.get('to-layer'), edge.get('to-port')):
                 (edge.get('from-layer'), edge.get('from-port')) for edge in root.find('edges')}
        layers = [_Layer(element, edges) for element in root.find('layers')]
        return layers, read_file(path[:-len('.xml')] + '.bin', LARGEST_MODEL)
    except (OSError, ElementTree.ParseError, TypeError, KeyError, ValueError) as error:
        raise WeightsError('cannot read the OpenVINO network {}: {}'.format(
            path, error)) from error


def _constant(layer, weights) -> np.ndarray:
    start, size = int(layer.data['offset']), int(layer.data['size'])
    values = np.frombuffer(weights[start:start + size], _TYPES[layer.data['element_type']])
    return values.reshape(layer.numbers('shape'))


def _cells(layers) -> int:
    """Return the number of cells of a map of the output."""
    height, width = next(layer.shape[2:] for layer in layers[::-1]
                         if layer.shapes and len(layer.shape) == 4)
    return height * width


def _only_shapes(layer, positions) -> bool:
    return layer.kind in _PERHAPS_OF_SHAPES and (len(layer.shape) == 1
                                                 or layer.shape[-1] == positions)


def _shuffled(features: Tensor) -> Tensor:
    """Interleave the two halves of the channels; the memory stays channels-last."""
    count, channels, height, width = features.shape
    halves = features.permute(0, 2, 3, 1).reshape(count, height, width, 2, channels // 2)
    mixed = halves.transpose(3, 4).reshape(count, height, width, channels)
    return mixed.permute(0, 3, 1, 2)
