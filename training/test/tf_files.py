# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Make and change TensorFlow files, for the tests of the importers."""
import numpy as np

from tf_reference import MESSAGES, attributes

OUTPUT = 'Openpose/concat_stage7'
_DATA_TYPES = {np.dtype('f4'): 1, np.dtype('i4'): 3, np.dtype('f2'): 19}


def add_node(graph, name, op, inputs, **values):
    """Append a node; values are of attributes: bool, float, bytes or list of int."""
    node = graph.node.add(name=name, op=op)
    node.input.extend(inputs)
    for key, value in values.items():
        item = node.attr.add(key=key).value
        if isinstance(value, list):
            item.list.i.extend(value)
        else:
            setattr(item, {bool: 'b', float: 'f', bytes: 's'}[type(value)], value)
    return node


def add_constant(graph, name, array, as_values=False):
    """Append a Const; its numbers as bytes, or one by one (only the first if all are equal)."""
    node = graph.node.add(name=name, op='Const')
    tensor = node.attr.add(key='value').value.tensor
    fill_tensor(tensor, np.asarray(array), as_values)
    return node


def fill_tensor(tensor, array, as_values=False):
    """Set a TensorProto."""
    tensor.Clear()
    tensor.dtype = _DATA_TYPES[array.dtype]
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if not as_values:
        tensor.tensor_content = array.tobytes()
        return
    numbers = array.ravel()
    numbers = numbers[:1] if (numbers == numbers[0]).all() else numbers
    if array.dtype == np.float16:
        tensor.half_val.extend(numbers.view(np.uint16).tolist())
    else:
        (tensor.float_val if array.dtype == np.float32 else tensor.int_val).extend(
            numbers.tolist())


def random_value(name, shape, rng):
    """Return numbers with which maps neither vanish nor explode, whatever the depth."""
    if name.endswith('weights'):
        depthwise = name.endswith('depthwise_weights')  # no activation follows
        variance = 1 / np.prod(shape[:2]) if depthwise else 2 / np.prod(shape[:3])
        return rng.normal(0, np.sqrt(variance), shape).astype(np.float32)
    if name.endswith('moving_variance'):  # the image itself is in 0..255
        scale = 2e4 if 'Conv2d_0/' in name else 1.
        return (scale * rng.uniform(.5, 2, shape)).astype(np.float32)
    return rng.normal(0, .5, shape).astype(np.float32)


def variables(graph, rng):
    """Return random values of all variables of a training graph by name."""
    found = {}
    for node in graph.node:
        if node.op == 'VariableV2':
            shape = [dimension.size for dimension in attributes(node)['shape'].shape.dim]
            found[node.name] = random_value(node.name, shape, rng)
    return found


def freeze(graph, values, output=OUTPUT):
    """Return a graph of what the output needs, each variable now a constant."""
    nodes = {node.name: node for node in graph.node}
    needed, waiting = set(), [output]
    while waiting:
        name = waiting.pop().split(':')[0]
        if name not in needed:
            needed.add(name)
            waiting.extend(nodes[name].input)
    frozen = MESSAGES['GraphDef']()
    for node in graph.node:
        if node.name in needed and node.op == 'VariableV2':
            add_constant(frozen, node.name, values[node.name])
        elif node.name in needed:
            frozen.node.add().CopyFrom(node)
    return frozen


def copied(graph):
    """Return a copy."""
    copy = MESSAGES['GraphDef']()
    copy.CopyFrom(graph)
    return copy


def find(graph, name):
    """Return the node of that name."""
    return next(node for node in graph.node if node.name == name)


def constant_at(graph, name):
    """Return the TensorProto of a constant, which may stand behind identities."""
    node = find(graph, name.split(':')[0])
    return constant_at(graph, node.input[0]) if node.op == 'Identity' else attributes(
        node)['value'].tensor


def remove(graph, name):
    """Delete a node."""
    graph.node.remove(find(graph, name))


def replace_by(graph, name, make):
    """Replace a node by what `make(old_node, name)` appends; its last node gets the name."""
    old = MESSAGES['NodeDef']()
    old.CopyFrom(find(graph, name))
    remove(graph, name)
    make(old, name)
