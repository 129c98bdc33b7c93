# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What an ONNX network costs: multiply-adds, weights and maps, counted from its shapes alone."""
from typing import List, NamedTuple, Optional, Set, Tuple

import onnx
from onnx import shape_inference

from pose_ros.core.card_files import load_card
from pose_ros.core.errors import CardError, ModelError

FUSED = 'all others'
# They multiply, in ways that the rules below do not know: no count is better than a wrong one.
_UNCOUNTED = {'Attention', 'ConvInteger', 'DeformConv', 'Einsum', 'GRU', 'LSTM', 'MatMulInteger',
              'QLinearConv', 'QLinearMatMul', 'RNN'}


class Layer(NamedTuple):
    """One operator: what it multiplies, and how many numbers it reads and writes."""

    kind: str  # such as 'convolution 3x3', or FUSED for what has no weights of its own
    multiply_adds: int
    weights: int
    maps: int  # inputs and outputs that are no constants


class NetworkCost(NamedTuple):
    """A network's layers in order, and the numbers of its inputs and outputs."""

    size: Tuple[int, int]  # (width, height) of the input [px]
    layers: Tuple[Layer, ...]
    ends: int  # numbers in the network's own inputs and outputs

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of convolutions and matrix products (twice as many operations)."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def weights(self) -> int:
        """Weights of convolutions and matrix products, biases included."""
        return sum(layer.weights for layer in self.layers)

    @property
    def streamed(self) -> int:
        """Numbers moved if every convolution reads and writes its maps in memory, and only they.

        Activations, normalizations, sums and concatenations count as fused into a neighbor.
        """
        return sum(layer.weights + layer.maps for layer in self.layers if layer.kind != FUSED)

    @property
    def compulsory(self) -> int:
        """Numbers moved if no map between the input and the outputs ever reaches memory."""
        return self.weights + self.ends


def count(path: str, size: Optional[Tuple[int, int]] = None) -> NetworkCost:
    """Return the cost of an ONNX file for one image of `size` (width, height) px.

    size: None takes the network's own, or its card's where the shapes are dynamic. Raises
    ModelError for a file whose shapes or operators cannot be counted, and says which.
    """
    try:
        model = onnx.load(path)
    except OSError as error:
        raise ModelError('cannot read {}: {}'.format(path, error.strerror or error))
    except Exception as error:  # what protobuf raises has no public base class
        raise ModelError('{} is not a whole ONNX file: {}'.format(path, error))
    size = _fix_input(model, path, size)
    try:
        model = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:
        raise ModelError('{}: the shapes contradict each other: {}'.format(path, error))
    graph = _Graph(model.graph, path)
    layers = tuple(layer for layer in map(graph.layer, model.graph.node) if layer)
    ends = sum(graph.numbers(value.name) for value in list(graph.inputs) + list(graph.outputs))
    return NetworkCost(size, layers, ends)


def _fix_input(model, path, size):
    """Write one image of `size` into the graph's input; return the size (width, height)."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != 4:
        raise ModelError('{}: a network with one input (N, 3, height, width) is needed, not '
                         '{}'.format(path, [(value.name, _shape(value)) for value in inputs]))
    dimensions = inputs[0].type.tensor_type.shape.dim
    height, width = (axis.dim_value for axis in dimensions[2:])
    own = (width, height) if width and height else None
    if own is None and size is None:
        try:
            card = load_card(path)
        except CardError as error:
            raise ModelError('{}: the input size is open, and no card tells it ({}); give '
                             '--size'.format(path, error))
        size = (card.input.width, card.input.height)
    if own and size and own != size:
        raise ModelError('{}: the input is {}x{}, it cannot be {}x{}'.format(path, *own + size))
    size = own or size
    # Computed for the old shapes, they would contradict the new ones.
    if own is None:
        del model.graph.value_info[:]
        for output in model.graph.output:
            output.type.tensor_type.ClearField('shape')
    for axis, value in zip(dimensions, (1, dimensions[1].dim_value or 3, size[1], size[0])):
        axis.dim_value = value
    return size


class _Graph:
    """Shapes and constants of a graph by the names of its values."""

    def __init__(self, graph, path):
        self._path = path
        self._shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        self._constants: Set[str] = set(self._shapes)
        for value in list(graph.value_info) + list(graph.input) + list(graph.output):
            self._shapes.setdefault(value.name, _shape(value))
        self.inputs = [value for value in graph.input if value.name not in self._constants]
        self.outputs = graph.output
        for node in graph.node:  # in the order of the arithmetic, as ONNX demands
            if all(name in self._constants for name in node.input if name):
                self._constants.update(node.output)

    def numbers(self, name: str) -> int:
        """Number of elements of a value."""
        total = 1
        for length in self.shape(name):
            total *= length
        return total

    def shape(self, name: str) -> Tuple[int, ...]:
        """Shape of a value; ModelError if shape inference did not find it."""
        shape = self._shapes.get(name)
        if shape is None or not all(isinstance(length, int) for length in shape):
            raise ModelError('{}: the shape of {!r} is not known ({}); export the network with '
                             'static shapes'.format(self._path, name, shape))
        return shape

    def layer(self, node) -> Optional[Layer]:
        """Return the cost of a node; None for one whose result is a constant."""
        if any(attribute.HasField('g') or attribute.graphs for attribute in node.attribute):
            self._refuse(node, 'it holds a graph of its own')
        if node.domain not in ('', 'ai.onnx') or node.op_type in _UNCOUNTED:
            self._refuse(node, 'how often it multiplies is not known here')
        if all(name in self._constants for name in node.output):
            return None
        kind, multiply_adds = self._arithmetic(node)
        used = [name for name in node.input if name]
        weights = sum(self.numbers(name) for name in used if name in self._constants)
        maps = sum(self.numbers(name) for name in used + list(node.output)
                   if name and name not in self._constants)
        return Layer(kind, multiply_adds, weights if kind != FUSED else 0, maps)

    def _arithmetic(self, node):
        """Return (kind, multiply-adds) of a node."""
        if node.op_type in ('Conv', 'ConvTranspose'):
            weights = self.shape(node.input[1])
            per_place = self.numbers(node.input[1]) // weights[0]
            # Conv: each output is a sum over weights (out, in / group, ...). ConvTranspose: each
            # input is spread by weights (in, out / group, ...). Both: ONNX operator reference.
            places = node.output[0] if node.op_type == 'Conv' else node.input[0]
            return self._convolution_kind(node, weights), self.numbers(places) * per_place
        if node.op_type == 'MatMul':
            return 'matrix product', self.numbers(node.output[0]) * self.shape(node.input[0])[-1]
        if node.op_type == 'Gemm':
            transposed = any(attribute.name == 'transA' and attribute.i
                             for attribute in node.attribute)
            inner = self.shape(node.input[0])[0 if transposed else 1]
            return 'matrix product', self.numbers(node.output[0]) * inner
        return FUSED, 0

    def _convolution_kind(self, node, weights):
        kernel = 'x'.join(map(str, weights[2:]))
        groups = next((item.i for item in node.attribute if item.name == 'group'), 1)
        word = 'convolution' if node.op_type == 'Conv' else 'transposed convolution'
        if groups > 1:
            depthwise = groups == self.shape(node.input[0])[1]
            word = ('depthwise ' if depthwise else 'grouped ') + word
        return '{} {}'.format(word, kernel)

    def _refuse(self, node, reason):
        raise ModelError('{}: cannot count operator {}{} ({}): {}'.format(
            self._path, node.domain + '.' if node.domain else '', node.op_type, node.name, reason))


def _shape(value):
    if not value.type.tensor_type.HasField('shape'):
        return None
    return tuple(axis.dim_value if axis.HasField('dim_value') else axis.dim_param or '?'
                 for axis in value.type.tensor_type.shape.dim)


def kinds(cost: NetworkCost) -> List[Tuple[str, List[Layer]]]:
    """Return the layers by kind, those with the most multiply-adds first."""
    found = {}
    for layer in cost.layers:
        found.setdefault(layer.kind, []).append(layer)
    return sorted(found.items(), key=lambda item: (
        item[0] == FUSED, -sum(layer.multiply_adds for layer in item[1])))
