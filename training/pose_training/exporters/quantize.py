# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Int8 convolutions as QuantizeLinear and DequantizeLinear pairs, the form that TensorRT reads."""
import logging
import os
import tempfile
from typing import Sequence

import onnx
from onnx import ModelProto
from onnxruntime.quantization import (CalibrationMethod, QuantFormat, quantize_static,
                                      QuantType)

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.calibration import CalibrationInputs, View
from pose_training.exporters.onnx_graph import count_operators
from pose_training.exporters.operators import NEWEST_IR

_OPTIONS = {
    'ActivationSymmetric': True, 'WeightSymmetric': True,  # TensorRT: every zero point is 0
    'QuantizeBias': False,  # an int32 bias is no type that its DequantizeLinear takes
    'DedicatedQDQPair': True,  # one reader each, so that each pair can be fused away
    'OpTypesToExcludeOutputQuantization': ['Conv'],
}
IMAGE_NORMS_WARNING = (
    'warning: this network normalizes by the statistics of each image ({} times); no '
    'measurement shows that int8 keeps the accuracy of such a network')


def quantize(model: ModelProto, spec: InputSpec, calibration: Sequence[View],
             float_weights: bool = False, report=None) -> ModelProto:
    """Return the model with its convolutions in int8; other layers stay float32.

    All quantization is symmetric, that of weights per channel. Weights are stored as int8;
    `float_weights` stores them as float32 with a QuantizeLinear, because TensorRT 8 quantizes
    weights itself and reads no others. `calibration` are the views from which the ranges of the
    activations are measured; `spec` is the model's input. Raises ExportError without views,
    ImageError for one that cannot be read.
    """
    if not calibration:
        raise ExportError('int8 needs images to measure the ranges of activations: give some '
                          'dozens that are like those of the robot (calibration)')
    norms = count_operators(model).get('InstanceNormalization', 0)
    if norms and report:
        report(IMAGE_NORMS_WARNING.format(norms))
    with tempfile.TemporaryDirectory(prefix='pose_training_') as folder:
        source, target = (os.path.join(folder, name) for name in ('float.onnx', 'int8.onnx'))
        onnx.save_model(model, source)
        rows = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
        _quantize_file(source, target, CalibrationInputs(calibration, spec, rows or 1),
                       float_weights)
        quantized = onnx.load_model(target)
    quantized.ir_version = min(quantized.ir_version, NEWEST_IR)
    del quantized.metadata_props[:]
    del quantized.graph.value_info[:]
    return quantized


def _quantize_file(source, target, inputs, float_weights):
    log = logging.getLogger()
    level = log.level
    # The tool logs irrelevant warnings to the root logger.
    log.setLevel(logging.ERROR)
    try:
        quantize_static(source, target, inputs, quant_format=QuantFormat.QDQ,
                        op_types_to_quantize=['Conv'], per_channel=True,
                        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax,
                        extra_options=dict(_OPTIONS, AddQDQPairToWeight=float_weights))
    finally:
        log.setLevel(level)
