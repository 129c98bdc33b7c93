# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Load an ONNX file with the onnx package, after the checks of the core."""
import onnx

from pose_ros.core.errors import ModelError
from pose_ros.core.onnx_check import check_onnx


def load_onnx(path: str) -> onnx.ModelProto:
    """Return the model with its external data, which must be in its folder; else ModelError."""
    check_onnx(path)
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf and the file system each have their own
        raise ModelError('cannot read the ONNX file {}: {}'.format(path, error)) from error
