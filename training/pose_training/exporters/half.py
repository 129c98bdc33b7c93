# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convert a model, or only its stored weights, to float16; input and output stay float32."""
from typing import Iterable, List

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pose_training.errors import ExportError
from pose_training.exporters.onnx_graph import (INPUT, attribute, drop_unused, initializers,
                                                replace_nodes)

LARGEST = 6e4  # float16 ends at 65504; other images may have larger values than the tested ones
_MOST_LISTED = 5
_STORED = '/stored'  # after the name of a weight that is stored as float16
# The squares in a variance exceed float16 for activations from 256 on, and TensorRT always reads
# the scale and the bias as float32.
_KEPT = ('InstanceNormalization',)
_SCALES = {'Resize': (1, 2)}  # inputs that are float32 in ONNX for any type of data


def to_half(model: ModelProto) -> ModelProto:
    """Return the model computed in float16; ExportError names constants out of its range."""
    half = ModelProto()
    half.CopyFrom(model)
    _spell_out(half.graph)
    _check_constants(half.graph)
    builder = _Builder(half)
    for node in half.graph.node:
        if node.op_type in _KEPT:
            builder.keep(node)
        else:
            builder.convert(node)
    builder.finish()
    return half


def store_half(model: ModelProto) -> ModelProto:
    """Return the float32 model with the weights of its convolutions stored as float16.

    A Cast after each makes it float32 again, which CPU engines do once, when they load the file.
    ExportError names constants out of range.
    """
    half = ModelProto()
    half.CopyFrom(model)
    _check_constants(half.graph)
    known, casts = initializers(half.graph), []
    for name in dict.fromkeys(node.input[1] for node in half.graph.node
                              if node.op_type in ('Conv', 'ConvTranspose')):
        weight = known[name]
        casts.append(helper.make_node('Cast', [name + _STORED], [name], name + '/cast',
                                      to=TensorProto.FLOAT))
        weight.CopyFrom(numpy_helper.from_array(
            numpy_helper.to_array(weight).astype(np.float16), name + _STORED))
    replace_nodes(half.graph, casts + list(half.graph.node))
    return half


def restored(model: ModelProto) -> ModelProto:
    """Return a model of `store_half` with float32 weights, without Casts; others unchanged."""
    known = initializers(model.graph)
    casts = {node.input[0]: node.output[0] for node in model.graph.node if node.op_type == 'Cast'
             and node.input[0] in known and attribute(node, 'to') == TensorProto.FLOAT}
    if not casts:
        return model
    full = ModelProto()
    full.CopyFrom(model)
    replace_nodes(full.graph, [node for node in full.graph.node
                               if node.op_type != 'Cast' or node.input[0] not in casts])
    for tensor in full.graph.initializer:
        if tensor.name in casts:
            tensor.CopyFrom(numpy_helper.from_array(
                numpy_helper.to_array(tensor).astype(np.float32), casts[tensor.name]))
    return full


def check_range(model: ModelProto, batches: Iterable[np.ndarray]) -> float:
    """Run the float32 model on inputs; ExportError names tensors that exceed float16.

    Returns the largest absolute activation.
    """
    probe, names = ModelProto(), []
    probe.CopyFrom(model)
    for node in list(probe.graph.node):
        for name in node.output:
            probe.graph.node.append(helper.make_node('Abs', [name], [name + '/abs']))
            probe.graph.node.append(helper.make_node('ReduceMax', [name + '/abs'],
                                                     [name + '/largest'], keepdims=0))
            probe.graph.output.append(helper.make_tensor_value_info(
                name + '/largest', TensorProto.FLOAT, []))
            names.append(name)
    session = onnxruntime.InferenceSession(probe.SerializeToString(),
                                           providers=['CPUExecutionProvider'])
    largest = np.zeros(len(names))
    for batch in batches:
        values = session.run([name + '/largest' for name in names], {INPUT: batch})
        largest = np.maximum(largest, np.array(values, np.float64))
    beyond = ['{} ({:.3g})'.format(name, value) for name, value in zip(names, largest)
              if not value <= LARGEST]
    if beyond:
        raise ExportError('float16 cannot hold the activations of {}: they should stay below '
                          '{:.0f}. Export this network as fp32'.format(_listed(beyond), LARGEST))
    return float(largest.max())


def _listed(names):
    more = ' and {} more'.format(len(names) - _MOST_LISTED) if len(names) > _MOST_LISTED else ''
    return ', '.join(names[:_MOST_LISTED]) + more


def _check_constants(graph):
    beyond = [tensor.name for tensor in graph.initializer
              if tensor.data_type == TensorProto.FLOAT
              and not (np.abs(numpy_helper.to_array(tensor)) <= LARGEST).all()]
    if beyond:
        raise ExportError('float16 cannot hold the constants of {}: they should stay below '
                          '{:.0f}. Export this network as fp32'.format(_listed(beyond), LARGEST))


def _spell_out(graph):
    """Replace Clip by Relu, Max and Min, and a batch norm by Mul and Add.

    TensorRT before 8.5 misreads the float16 bounds of a Clip. Statistics may exceed the range of
    float16 although the factor that is computed from them does not.
    """
    known, nodes = initializers(graph), []
    for node in graph.node:
        if node.op_type == 'Clip':
            nodes += _clip_parts(node, known)
        elif node.op_type == 'BatchNormalization':
            nodes += _norm_parts(graph, node, known)
        else:
            nodes.append(node)
    replace_nodes(graph, nodes)
    drop_unused(graph)


def _norm_parts(graph, node, known) -> List[NodeProto]:
    scale, bias, mean, variance = (numpy_helper.to_array(known[name]).astype(np.float64)
                                   for name in node.input[1:])
    gain = scale / np.sqrt(variance + attribute(node, 'epsilon', 1e-5))
    result, parts = node.output[0], []
    names = ['{}/{}'.format(result, part) for part in ('gain', 'bias', 'scaled')]
    for name, value in zip(names, (gain, bias - mean * gain)):
        graph.initializer.append(numpy_helper.from_array(
            value.astype(np.float32).reshape(-1, 1, 1), name))
    parts.append(helper.make_node('Mul', [node.input[0], names[0]], [names[2]], names[2]))
    parts.append(helper.make_node('Add', [names[2], names[1]], [result], result + '/shift'))
    return parts


def _clip_parts(node, known) -> List[NodeProto]:
    steps = []
    for operator, bound in zip(('Max', 'Min'), node.input[1:]):
        if bound:
            zero = operator == 'Max' and not numpy_helper.to_array(known[bound]).any()
            steps.append(('Relu', []) if zero else (operator, [bound]))
    names = [node.input[0]] + ['{}/{}'.format(node.output[0], place)
                               for place in range(1, len(steps))] + [node.output[0]]
    return [helper.make_node(operator, [names[place]] + bounds, [names[place + 1]],
                             '{}/{}'.format(node.name or node.output[0], operator))
            for place, (operator, bounds) in enumerate(steps)]


class _Builder:
    """Collects the nodes of the float16 graph, in order; activations keep their names."""

    def __init__(self, model):
        self._graph = model.graph
        self._known = initializers(model.graph)
        self._outputs = {output.name for output in model.graph.output}
        self._nodes: List[NodeProto] = []
        self._done = set()

    def convert(self, node) -> None:
        """Add a node that computes in float16."""
        fixed = _SCALES.get(node.op_type, ())
        inputs = [name if place in fixed or not name else self._half(name)
                  for place, name in enumerate(node.input)]
        if node.op_type == 'Cast' and attribute(node, 'to') == TensorProto.FLOAT:
            raise ExportError('{!r} is a cast: this graph is not float32 throughout'.format(
                node.name))
        self._append(node, inputs, [self._inner(name) for name in node.output])
        self._cast_outputs(node.output)

    def keep(self, node) -> None:
        """Add a node that computes in float32, between casts."""
        inputs = []
        for name in node.input:
            if not name or name in self._known or name == INPUT:
                inputs.append(name)
            else:
                inputs.append(self._cast(self._inner(name), name + '/float', TensorProto.FLOAT))
        self._append(node, inputs, [name + '/kept' for name in node.output])
        for name in node.output:
            self._cast(name + '/kept', self._inner(name), TensorProto.FLOAT16)
        self._cast_outputs(node.output)

    def finish(self) -> None:
        """Put the nodes into the graph."""
        replace_nodes(self._graph, self._nodes)
        del self._graph.value_info[:]
        drop_unused(self._graph)

    def _half(self, name):
        if name == INPUT:
            return self._cast(INPUT, INPUT + '/half', TensorProto.FLOAT16)
        tensor = self._known.get(name)
        if tensor is None:
            return self._inner(name)
        if tensor.data_type == TensorProto.FLOAT and name + '/half' not in self._done:
            self._done.add(name + '/half')
            self._graph.initializer.append(numpy_helper.from_array(
                numpy_helper.to_array(tensor).astype(np.float16), name + '/half'))
        return name + '/half' if tensor.data_type == TensorProto.FLOAT else name

    def _inner(self, name):
        return name + '/half' if name in self._outputs else name

    def _cast_outputs(self, names):
        for name in names:
            if name in self._outputs:
                self._cast(self._inner(name), name, TensorProto.FLOAT)

    def _cast(self, source, target, kind):
        if target not in self._done:
            self._done.add(target)
            self._nodes.append(helper.make_node('Cast', [source], [target], target + '/cast',
                                                to=kind))
        return target

    def _append(self, node, inputs, outputs):
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        changed.input[:], changed.output[:] = inputs, outputs
        self._nodes.append(changed)
