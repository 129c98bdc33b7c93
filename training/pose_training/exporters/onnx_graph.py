# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Simplify a traced graph without any change of its outputs."""
from collections import Counter
from typing import Dict, List, Mapping, Optional, Sequence, Union

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

INPUT = 'image'


def simplify(model: ModelProto,
             output_shapes: Mapping[str, Sequence[Union[int, str]]]) -> ModelProto:
    """Return an equal model: constants folded, padding inside the convolutions, nothing unused.

    `output_shapes` are the shapes of the outputs by name; a text is the name of an open size.
    """
    simple = ModelProto()
    simple.CopyFrom(model)
    graph = simple.graph
    _store_constants(graph)
    _fold_constants(graph, simple.opset_import)
    _drop_identities(graph)
    _drop_split_concat(graph)
    _fold_padding(graph)
    _drop_defaults(graph)
    _share_initializers(graph)
    drop_unused(graph)
    del graph.value_info[:]
    for output in graph.output:
        output.CopyFrom(helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT,
                                                      list(output_shapes[output.name])))
    return simple


def initializers(graph: GraphProto) -> Dict[str, onnx.TensorProto]:
    """Return the constant tensors of a graph by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def attribute(node: NodeProto, name: str, default=None):
    """Return the value of a node's attribute (text as str), or the default."""
    for item in node.attribute:
        if item.name == name:
            value = helper.get_attribute_value(item)
            return value.decode() if isinstance(value, bytes) else value
    return default


def set_attribute(node: NodeProto, name: str, value) -> None:
    """Set or replace an attribute of a node."""
    kept = [item for item in node.attribute if item.name != name]
    del node.attribute[:]
    node.attribute.extend(kept + [helper.make_attribute(name, value)])


def replace_nodes(graph: GraphProto, nodes: List[NodeProto]) -> None:
    """Replace the nodes of the graph."""
    nodes = list(nodes)
    del graph.node[:]
    graph.node.extend(nodes)


def drop_unused(graph: GraphProto) -> None:
    """Drop nodes with unused outputs, then unused constants."""
    needed, kept = {output.name for output in graph.output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    replace_nodes(graph, kept[::-1])
    used = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(used)


def _store_constants(graph):
    """Turn Constant nodes into initializers, because parsers require that for weights."""
    kept = []
    for node in graph.node:
        value = attribute(node, 'value') if node.op_type == 'Constant' else None
        if value is None:
            kept.append(node)
        else:
            graph.initializer.append(_renamed(value, node.output[0]))
    replace_nodes(graph, kept)


def _fold_constants(graph, opsets):
    known, kept = initializers(graph), []
    for node in graph.node:
        read = [name for name in node.input if name]
        if not all(name in known for name in read) or len(node.output) != 1:
            kept.append(node)
            continue
        lonely = helper.make_graph([node], 'constant', [], [helper.make_empty_tensor_value_info(
            node.output[0])], [known[name] for name in dict.fromkeys(read)])
        value = ReferenceEvaluator(helper.make_model(lonely, opset_imports=opsets)).run(None, {})
        tensor = numpy_helper.from_array(np.asarray(value[0]), node.output[0])
        known[tensor.name] = tensor
        graph.initializer.append(tensor)
    replace_nodes(graph, kept)


def _drop_identities(graph):
    outputs = {output.name for output in graph.output}
    gone = {node.output[0]: node.input[0] for node in graph.node
            if node.op_type in ('Identity', 'Dropout') and node.output[0] not in outputs}
    _rewire(graph, gone)


def _rewire(graph, gone):
    """Drop the nodes that yield the keys of `gone`; connect their readers to the values."""
    def source(name):
        while name in gone:
            name = gone[name]
        return name
    replace_nodes(graph, [node for node in graph.node if not gone.keys() & set(node.output)])
    for node in graph.node:
        node.input[:] = [source(name) for name in node.input]


def _drop_split_concat(graph):
    """Drop a split if its parts are only joined again, such as heatmaps and PAFs of one layer."""
    splits = {tuple(node.output): node for node in graph.node if node.op_type == 'Split'}
    for node in list(graph.node):
        split = splits.get(tuple(node.input)) if node.op_type == 'Concat' else None
        if split is None or attribute(node, 'axis') != attribute(split, 'axis', 0):
            continue
        whole, joined = split.input[0], node.output[0]
        if joined not in [output.name for output in graph.output]:
            _rewire(graph, {joined: whole})
        elif sum(whole in other.input for other in graph.node) == 1:
            # The names of the graph's outputs are fixed: the node before must yield this one.
            replace_nodes(graph, [other for other in graph.node if joined not in other.output])
            for other in graph.node:
                other.output[:] = [joined if name == whole else name for name in other.output]


def _fold_padding(graph):
    """Replace a Pad with zeros by the padding of the convolution that reads it."""
    known = initializers(graph)
    readers: Dict[str, List[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    gone = {}
    for node in graph.node:
        pads = _zero_padding(node, known)
        convolutions = readers.get(node.output[0], [])
        if pads is None or not convolutions or not all(map(_takes_padding, convolutions)):
            continue
        gone[node.output[0]] = node.input[0]
        for convolution in convolutions:
            own = attribute(convolution, 'pads', [0] * len(pads))
            set_attribute(convolution, 'pads', [a + b for a, b in zip(own, pads)])
    _rewire(graph, gone)


def _zero_padding(node, known) -> Optional[List[int]]:
    """Return [top, left, bottom, right] of a node that pads only these with zeros, else None."""
    if node.op_type != 'Pad' or attribute(node, 'mode', 'constant') != 'constant' \
            or node.input[1] not in known:
        return None
    if len(node.input) > 2 and node.input[2] and (
            node.input[2] not in known or numpy_helper.to_array(known[node.input[2]]).any()):
        return None
    pads = numpy_helper.to_array(known[node.input[1]]).tolist()
    half = len(pads) // 2
    if min(pads) < 0 or any(pads[:2] + pads[half:half + 2]):
        return None
    return pads[2:half] + pads[half + 2:]


def _takes_padding(node):
    return node.op_type == 'Conv' and attribute(node, 'auto_pad', 'NOTSET') == 'NOTSET'


def _drop_defaults(graph):
    """Drop empty optional inputs, because some parsers misread them."""
    known = initializers(graph)
    for node in graph.node:
        if node.op_type == 'Resize' and node.input[1] in known \
                and not numpy_helper.to_array(known[node.input[1]]).size:
            node.input[1] = ''
        if _zero_padding(node, known) is not None:
            del node.input[2:]


def _share_initializers(graph):
    first, gone = {}, {}
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        key = (tensor.data_type, value.shape, value.tobytes())
        gone[tensor.name] = first.setdefault(key, tensor.name)
    for node in graph.node:
        node.input[:] = [gone.get(name, name) for name in node.input]


def _renamed(tensor, name):
    renamed = onnx.TensorProto()
    renamed.CopyFrom(tensor)
    renamed.name = name
    return renamed


def count_operators(model: ModelProto) -> Dict[str, int]:
    """Return how many nodes of each operator a model has."""
    return dict(Counter(node.op_type for node in model.graph.node))
