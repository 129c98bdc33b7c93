# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The `tensorrt` module (8.2 to 11.4) and its logger.

TensorRT keeps the first logger of the process (NvInferRuntime.h, ILogger), so there is only one.
"""
import collections
import logging
from typing import Any, Deque, Dict, NamedTuple

import numpy as np

from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')
_REMEMBERED = 5  # latest errors of TensorRT
_libraries: Dict[Any, Any] = {}  # Library by module: tests use several


class Library(NamedTuple):
    """TensorRT: its module, its version, and our logger, which has `errors()`."""

    module: Any
    version: str
    logger: Any


def import_tensorrt() -> Library:
    """Import TensorRT; an EngineError names the commands that install it."""
    try:
        import tensorrt
        tensorrt.Builder  # a folder of that name can be imported too
    except Exception as error:  # a wheel for another CUDA may raise anything
        raise EngineError(
            'tensorrt cannot be imported ({}); on a Jetson: sudo apt install nvidia-jetpack; on a '
            'PC with an NVIDIA GPU: python3 -m pip install tensorrt'.format(error))
    if tensorrt not in _libraries:
        logger = _make_logger(tensorrt)
        if not hasattr(tensorrt, 'OnnxParserFlag'):
            # Before 8.6 InstanceNormalization is a plugin, which parser and plans take from the
            # registry [onnx-tensorrt 8.2, builtin_op_importers.cpp].
            tensorrt.init_libnvinfer_plugins(logger, '')
        _libraries[tensorrt] = Library(tensorrt, tensorrt.__version__, logger)
    return _libraries[tensorrt]


def numpy_dtype(module, dtype) -> np.dtype:
    """Return the NumPy type of a DataType; EngineError if there is none.

    trt.nptype is not used: in 8.2 it reads np.bool, which NumPy 1.24 removed [python/packaging/
    tensorrt/__init__.py of 8.2.1].
    """
    for name, kind in (('FLOAT', np.float32), ('HALF', np.float16), ('INT32', np.int32),
                       ('INT8', np.int8), ('BOOL', np.bool_), ('UINT8', np.uint8),  # since 8.5
                       ('INT64', np.int64)):                                        # since 10.0
        if hasattr(module.DataType, name) and dtype == getattr(module.DataType, name):
            return np.dtype(kind)
    raise EngineError('a tensor of type {} is not supported'.format(dtype))


def _make_logger(module):
    class Logger(module.ILogger):
        """Passes messages to Python's logging, and stores the latest errors."""

        def __init__(self):
            module.ILogger.__init__(self)  # pybind11 requires the explicit call
            self._errors: Deque[str] = collections.deque(maxlen=_REMEMBERED)

        def log(self, severity, msg):
            """Take a message from any thread; must not raise, or TensorRT aborts."""
            levels = module.ILogger.Severity
            if severity in (levels.INTERNAL_ERROR, levels.ERROR):
                self._errors.append(msg)
                _LOG.error('tensorrt: %s', msg)
            elif severity == levels.WARNING:
                _LOG.info('tensorrt warning: %s', msg)  # many, and mostly harmless
            else:
                _LOG.debug('tensorrt: %s', msg)

        def errors(self):
            """Return the errors since the last call as one text, and clear them."""
            found = '; '.join(self._errors)
            self._errors.clear()
            return found or 'no reason given'
    return Logger()
