# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Operators and rules of TensorRT 8.2, the oldest parser that must read exported files.

From docs/operators.md and builtin_op_importers.cpp of onnx-tensorrt, branch 8.2-GA.
"""
from typing import Callable, Dict, Iterator, NamedTuple, Optional

import onnx
from onnx import helper, ModelProto, NodeProto, numpy_helper, shape_inference, TensorProto

from pose_training.errors import ExportError
from pose_training.exporters.half import restored
from pose_training.exporters.onnx_graph import attribute, initializers

OPSET = 13
NEWEST_IR = 8  # ONNX Runtime 1.10, the newest for Python 3.6, reads no newer version
_MOST_LISTED = 8

_PLAIN = (
    'Add', 'AveragePool', 'Cast', 'Concat', 'DepthToSpace', 'Div', 'Elu', 'Exp', 'Flatten',
    'Gemm', 'GlobalAveragePool', 'GlobalMaxPool', 'HardSigmoid', 'LeakyRelu', 'MatMul', 'Max',
    'Min', 'Mul', 'Neg', 'PRelu', 'Relu', 'Selu', 'Sigmoid', 'Softmax', 'Softplus',
    'SpaceToDepth', 'Sqrt', 'Sub', 'Sum', 'Tanh', 'Transpose')
_RESIZE_MODES = ('nearest', 'linear')
_RESIZE_COORDINATES = ('half_pixel', 'pytorch_half_pixel', 'tf_half_pixel_for_nn', 'asymmetric',
                       'align_corners')
_RUNTIME_TYPES = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8)


class _Graph(NamedTuple):
    """The tensors of a graph, as the rules need them."""

    constants: Dict[str, TensorProto]
    types: Dict[str, int]
    makers: Dict[str, NodeProto]

    def is_constant(self, node, place) -> bool:
        """Return whether input `place` of a node is absent or an initializer."""
        return len(node.input) <= place or not node.input[place] \
            or node.input[place] in self.constants

    def is_half(self, node, place) -> bool:
        """Return whether input `place` of a node exists and is float16."""
        return len(node.input) > place and \
            self.types.get(node.input[place]) == TensorProto.FLOAT16


def check_operators(model: ModelProto) -> None:
    """Raise ExportError with a list of all nodes, types and versions that TensorRT 8.2 rejects.

    Of an int8 file for CPUs only the versions are checked: TensorRT does not read it.
    """
    faults = list(_version_faults(model) if is_for_cpus(model) else _faults(model))
    if faults:
        more = ' (and {} more)'.format(len(faults) - _MOST_LISTED) \
            if len(faults) > _MOST_LISTED else ''
        raise ExportError('TensorRT 8.2 would reject this file: {}{}'.format(
            '; '.join(faults[:_MOST_LISTED]), more))


def is_for_cpus(model: ModelProto) -> bool:
    """Return whether a file is quantized in the form of CPUs, with unsigned activations."""
    known = initializers(model.graph)
    return any(node.op_type == 'QuantizeLinear' and len(node.input) > 2
               and node.input[2] in known and known[node.input[2]].data_type == TensorProto.UINT8
               for node in model.graph.node)


def _version_faults(model) -> Iterator[str]:
    opsets = {item.domain: item.version for item in model.opset_import}
    if set(opsets) - {'', 'ai.onnx'} or max(opsets.values()) > OPSET:
        yield 'operator sets {} (only ONNX up to {} is allowed)'.format(opsets, OPSET)
    if model.ir_version > NEWEST_IR:
        yield 'ONNX IR version {} (up to {} is allowed)'.format(model.ir_version, NEWEST_IR)


def _faults(model) -> Iterator[str]:
    yield from _version_faults(model)
    graph = _look_up(model)
    for node in model.graph.node:
        fault = _fault(node, graph)
        if fault:
            yield '{} {!r}: {}'.format(node.op_type, node.name or node.output[0], fault)
        for name in node.output:
            kind = graph.types.get(name, TensorProto.FLOAT)
            if kind not in _RUNTIME_TYPES:
                yield '{} {!r} yields {} at run time'.format(
                    node.op_type, node.name or name, TensorProto.DataType.Name(kind).lower())


def _look_up(model):
    inferred = shape_inference.infer_shapes(_without_weights(model)).graph
    types = {item.name: item.type.tensor_type.elem_type for item in
             [*inferred.value_info, *inferred.input, *inferred.output]}
    constants = initializers(model.graph)
    types.update((name, tensor.data_type) for name, tensor in constants.items())
    makers = {name: node for node in model.graph.node for name in node.output}
    return _Graph(constants, types, makers)


def _without_weights(model):
    """Return a copy without large tensors, because the inference of types does not need them."""
    light, graph = ModelProto(ir_version=model.ir_version), model.graph
    light.opset_import.extend(model.opset_import)
    light.graph.node.extend(graph.node)
    light.graph.input.extend(graph.input)
    light.graph.output.extend(graph.output)
    for tensor in graph.initializer:
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            light.graph.input.append(helper.make_tensor_value_info(
                tensor.name, tensor.data_type, tensor.dims))
        else:
            light.graph.initializer.append(tensor)
    return light


def _fault(node, graph) -> Optional[str]:
    if node.op_type in _RULES:
        return _RULES[node.op_type](node, graph)
    return None if node.op_type in _PLAIN else 'this operator is not on the list'


def _convolution(node, graph):
    weight = graph.makers.get(node.input[1])
    if weight is not None and weight.op_type == 'DequantizeLinear':
        maker = graph.makers.get(weight.input[0], weight)
        constant = graph.is_constant(maker, 0) and maker.op_type == 'QuantizeLinear'
    else:
        constant = graph.is_constant(node, 1)
    if not constant or not graph.is_constant(node, 2):
        return 'weight and bias must be initializers (float, where they are quantized)'
    return None


def _resize(node, graph):
    mode = attribute(node, 'mode', 'nearest')
    coordinates = attribute(node, 'coordinate_transformation_mode', 'half_pixel')
    if mode not in _RESIZE_MODES or coordinates not in _RESIZE_COORDINATES:
        return 'mode {} with {} is not supported'.format(mode, coordinates)
    if len(node.input) != 3 or not graph.is_constant(node, 2):
        return 'the scales must be an initializer, in place of sizes'
    scales = numpy_helper.to_array(graph.constants[node.input[2]])
    return None if tuple(scales[:2]) == (1, 1) else 'only height and width can be scaled'


def _quantization(node, graph):
    if len(node.input) != 3 or not graph.is_constant(node, 1) or not graph.is_constant(node, 2):
        return 'scale and zero point must be initializers'
    zero = graph.constants[node.input[2]]
    if zero.data_type != TensorProto.INT8 or numpy_helper.to_array(zero).any():
        return 'the zero point must be 0, and int8'
    return None


def _constant_inputs(*places, what, misread=False):
    """Return a rule: these inputs are initializers, and not float16 if that is `misread`.

    The parser misreads the bits of a float16 number as those of a float32.
    """
    def rule(node, graph):
        if not all(graph.is_constant(node, place) for place in places):
            return what + ' must be initializers'
        if misread and any(graph.is_half(node, place) for place in places):
            return what + ' must be float32: it misreads float16'
        return None
    return rule


def _max_pool(node, _):
    return 'it may have only one output' if len(node.output) > 1 else None


_shape_arguments = _constant_inputs(1, 2, 3, 4, what='the arguments')

_RULES: Dict[str, Callable[[NodeProto, _Graph], Optional[str]]] = {
    'Conv': _convolution, 'ConvTranspose': _convolution, 'Resize': _resize,
    'QuantizeLinear': _quantization, 'DequantizeLinear': _quantization, 'MaxPool': _max_pool,
    'Clip': _constant_inputs(1, 2, what='the bounds', misread=True),
    'InstanceNormalization': _constant_inputs(1, 2, what='scale and bias', misread=True),
    'BatchNormalization': _constant_inputs(1, 2, 3, 4, what='scale, bias and statistics'),
    'Pad': _constant_inputs(1, 2, what='pads and value', misread=True),
    'Reshape': _shape_arguments, 'Squeeze': _shape_arguments, 'Unsqueeze': _shape_arguments,
    'Slice': _shape_arguments, 'Split': _shape_arguments,
    'ReduceMax': _shape_arguments, 'ReduceMean': _shape_arguments, 'ReduceSum': _shape_arguments,
}


def check_model(model: ModelProto) -> None:
    """Run ONNX's own checker, and `check_operators`; ExportError describes the fault."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker has several classes of errors
        raise ExportError('not a valid ONNX file: {}'.format(error)) from error
    check_operators(model)


def parse_model(content: bytes) -> ModelProto:
    """Parse and check a file's bytes; ExportError if they are not such a file, or invalid."""
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's error differs between its versions
        raise ExportError('not a valid ONNX file: {}'.format(error)) from error
    check_model(restored(model))
    return model
