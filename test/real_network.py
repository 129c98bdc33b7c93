# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX files on the real parser and builder of TensorRT for RTX, which need no GPU."""
import collections
import os
from pathlib import Path

import pytest

from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings
from pose_ros.core.engines.tensorrt_library import import_tensorrt

# Operators that become exactly one layer each.
LAYERS = {'Conv': 'CONVOLUTION', 'ConvTranspose': 'DECONVOLUTION', 'Resize': 'RESIZE',
          'Concat': 'CONCATENATION', 'QuantizeLinear': 'QUANTIZE',
          'DequantizeLinear': 'DEQUANTIZE', 'InstanceNormalization': 'NORMALIZATION'}


def real_library():
    """Return the Library of tensorrt_rtx; skip the test without it, or with RTX=0."""
    if os.environ.get('RTX') == '0':
        pytest.skip('RTX=0')
    pytest.importorskip('tensorrt_rtx', reason='make test installs requirements/rtx.txt')
    return import_tensorrt('tensorrt_rtx')


def read_network(library, content):
    """Return the real network definition of an ONNX file, and what keeps it alive."""
    trt = library.module
    builder = trt.Builder(library.logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, library.logger)
    assert parser.parse(content), [parser.get_error(i).desc() for i in range(parser.num_errors)]
    return network, (builder, parser)


def check_network(library, path):
    """Compare the real network definition with the ONNX file; return the number of layers."""
    import onnx
    graph = onnx.load(str(path)).graph
    network, alive = read_network(library, Path(path).read_bytes())
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    kinds = collections.Counter(layer.type.name for layer in layers)
    operators = collections.Counter(node.op_type for node in graph.node)
    for operator, kind in LAYERS.items():
        assert kinds[kind] == operators[operator], (path, operator)
    float32 = library.module.DataType.FLOAT
    for count, get, stored in ((network.num_inputs, network.get_input, graph.input),
                               (network.num_outputs, network.get_output, graph.output)):
        tensors = [get(index) for index in range(count)]
        assert [tensor.name for tensor in tensors] == [item.name for item in stored]
        assert all(tensor.dtype == float32 for tensor in tensors)
        for tensor, item in zip(tensors, stored):
            sizes = [axis.dim_value or -1 for axis in item.type.tensor_type.shape.dim]
            assert list(tensor.shape) == sizes or -1 in sizes
    assert alive
    return len(layers)


def build(library, path, shape, architectures=('sm86',), precision='auto', progress=None):
    """Build a plan as `pose-ros build-engine --arch` does."""
    settings = BuildSettings(tuple(shape), precision, architectures=architectures)
    return build_plan(library, None, Path(path).read_bytes(), str(path), settings,
                      progress=progress)
