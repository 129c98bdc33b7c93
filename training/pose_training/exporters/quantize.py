# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Int8 files: QuantizeLinear and DequantizeLinear pairs, in the form of CPUs or of TensorRT.

ONNX Runtime and OpenVINO run a convolution in int8 if its input, weight, bias and output are
quantized; with unsigned activations a ReLU or a Clip costs nothing. TensorRT reads symmetric
quantization only, and no quantized biases.
"""
import logging
import os
import tempfile
from typing import Any, Dict, List, Sequence

import onnx
from onnx import ModelProto
from onnxruntime.quantization import (CalibrationMethod, QuantFormat, quantize_static,
                                      QuantType)

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.calibration import CalibrationInputs, View
from pose_training.exporters.onnx_graph import attribute, count_operators
from pose_training.exporters.operators import NEWEST_IR

_FOR_CPUS: Dict[str, Any] = {
    # Without Add: residuals in int8 double the error of our crop network, and save no time.
    'op_types_to_quantize': ['Conv', 'Clip', 'Relu', 'Resize', 'Concat', 'MaxPool'],
    'activation_type': QuantType.QUInt8, 'extra_options': {'WeightSymmetric': True}}
_FOR_TENSORRT: Dict[str, Any] = {
    'op_types_to_quantize': ['Conv'], 'activation_type': QuantType.QInt8, 'extra_options': {
        'ActivationSymmetric': True, 'WeightSymmetric': True,  # every zero point is 0
        'QuantizeBias': False,  # an int32 bias is no type that its DequantizeLinear takes
        'DedicatedQDQPair': True,  # one reader each, so that each pair can be fused away
        'AddQDQPairToWeight': True,  # TensorRT 8 quantizes weights itself, and reads no others
        'OpTypesToExcludeOutputQuantization': ['Conv']}}
IMAGE_NORMS_WARNING = (
    'warning: this network normalizes by the statistics of each image ({} times); no '
    'measurement shows that int8 keeps the accuracy of such a network')


def quantize(model: ModelProto, spec: InputSpec, calibration: Sequence[View],
             tensorrt: bool = False, report=None) -> ModelProto:
    """Return the model with its convolutions in int8, weights per channel.

    For CPUs the weights are stored as int8, and the first and the last layers stay float32:
    they lose most, and take little time. `tensorrt` quantizes in the form of TensorRT, with
    weights stored as float32. `calibration` are the views from which the ranges of the activations
    are measured; `spec` is the model's input. Raises ExportError without views, ImageError for one
    that cannot be read.
    """
    if not calibration:
        raise ExportError('int8 needs images to measure the ranges of activations: give some '
                          'dozens that are like those of the robot (calibration)')
    norms = count_operators(model).get('InstanceNormalization', 0)
    if norms and report:
        report(IMAGE_NORMS_WARNING.format(norms))
    with tempfile.TemporaryDirectory(prefix='pose_training_') as folder:
        source, target = (os.path.join(folder, name) for name in ('float.onnx', 'int8.onnx'))
        named = _named(model)
        onnx.save_model(named, source)
        rows = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
        settings = _FOR_TENSORRT if tensorrt else dict(
            _FOR_CPUS, nodes_to_exclude=_first_nodes(named) + _last_nodes(named))
        _quantize_file(source, target, CalibrationInputs(calibration, spec, rows or 1), settings)
        quantized = onnx.load_model(target)
    quantized.ir_version = min(quantized.ir_version, NEWEST_IR)
    del quantized.metadata_props[:]
    del quantized.graph.value_info[:]
    return quantized


def _named(model):
    """Return a copy whose nodes all have different names, by which the tool excludes them."""
    named = ModelProto()
    named.CopyFrom(model)
    for number, node in enumerate(named.graph.node):
        node.name = '{}_{}'.format(node.op_type, number)
    return named


def _first_nodes(model) -> List[str]:
    """Return the names of the convolutions up to the second that halves the grid.

    With the 1x1 convolution after it, if it is depthwise. In int8 these six of EfficientNet-Lite0
    cause most of the error, and take little time in float32.
    """
    found, halved = [], 0
    for node in model.graph.node:
        if node.op_type != 'Conv':
            continue
        found.append(node.name)
        if halved == 2:
            break
        halved += max(attribute(node, 'strides', [1])) > 1
        if halved == 2 and attribute(node, 'group', 1) == 1:
            break
    return found


def _last_nodes(model) -> List[str]:
    """Return the names of the last convolutions, and of all nodes after them."""
    makers = {name: node for node in model.graph.node for name in node.output}
    waiting, found = [output.name for output in model.graph.output], set()
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += [] if node.op_type == 'Conv' else list(node.input)
    return sorted(found)


def _quantize_file(source, target, inputs, settings):
    log = logging.getLogger()
    level = log.level
    # The tool logs irrelevant warnings to the root logger.
    log.setLevel(logging.ERROR)
    try:
        quantize_static(source, target, inputs, quant_format=QuantFormat.QDQ, per_channel=True,
                        weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
                        **settings)
    finally:
        log.setLevel(level)
