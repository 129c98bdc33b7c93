# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read an ONNX file for TensorRT, whose older parsers take no weights that a Cast makes."""
import os
import tempfile

from pose_ros.core.errors import ModelError
from pose_ros.core.onnx_check import read_onnx

_MARK = b'weight/stored'  # end of the names of weights that are stored as float16


def read_for_tensorrt(path: str) -> bytes:
    """Return the bytes of an ONNX file; weights that are stored as float16 become float32.

    Errors as of read_onnx.
    """
    content = read_onnx(path)
    return _folded(path) if _MARK in content else content


def _folded(path):
    """Let ONNX Runtime fold the Casts, which it does before it runs a network."""
    import onnxruntime
    with tempfile.TemporaryDirectory(prefix='pose_ros') as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Basic: only operators of ONNX in the result.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = os.path.join(folder, 'folded.onnx')
        try:
            onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError('onnxruntime cannot load {}: {}'.format(path, error))
        with open(options.optimized_model_filepath, 'rb') as stream:
            return stream.read()
