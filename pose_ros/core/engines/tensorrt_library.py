# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The modules `tensorrt` (8.2 to 11.4) and `tensorrt_rtx` (1.7), and their loggers.

TensorRT for RTX has the API of TensorRT 11, for GPUs of desktop computers. Each keeps the
first logger of the process (NvInferRuntime.h, ILogger), so there is only one per module.
"""
import collections
import importlib
import logging
import re
from typing import Any, Deque, Dict, NamedTuple

import numpy as np

from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')
_REMEMBERED = 5  # latest errors of TensorRT
_OLD_DRIVER = re.compile(r'[Ee]rror:? 35\b')  # cudaErrorInsufficientDriver
_libraries: Dict[Any, Any] = {}  # Library by module: tests use several
TITLES = {'tensorrt': 'TensorRT', 'tensorrt_rtx': 'TensorRT for RTX'}  # by backend and module
_ADVICE = {
    'tensorrt': 'on a Jetson: sudo apt install nvidia-jetpack; on a PC with an NVIDIA GPU: '
                'python3 -m pip install tensorrt',
    'tensorrt_rtx': 'on a PC with an NVIDIA GPU: python3 -m pip install tensorrt-rtx-cu13'}


class Library(NamedTuple):
    """TensorRT or TensorRT for RTX.

    name: the backend, `tensorrt` or `tensorrt_rtx`. logger: ours, which has `errors()`.
    """

    name: str
    module: Any
    version: str
    logger: Any

    def __str__(self):
        """Return name and version for texts, such as 'TensorRT 10.3.0'."""
        return '{} {}'.format(TITLES[self.name], self.version)


def import_tensorrt(name: str = 'tensorrt') -> Library:
    """Import `tensorrt` or `tensorrt_rtx`; an EngineError names the commands that install it."""
    try:
        module = importlib.import_module(name)
        module.Builder  # a folder of that name can be imported too
    except Exception as error:  # a wheel for another CUDA may raise anything
        raise EngineError('{} cannot be imported ({}); {}'.format(name, error, _ADVICE[name]))
    if module not in _libraries:
        logger = _make_logger(name, module)
        if not hasattr(module, 'OnnxParserFlag'):
            # Before 8.6 InstanceNormalization is a plugin, which parser and plans take from the
            # registry [onnx-tensorrt 8.2, builtin_op_importers.cpp].
            module.init_libnvinfer_plugins(logger, '')
        _libraries[module] = Library(name, module, module.__version__, logger)
    return _libraries[module]


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


def _make_logger(name, module):
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
                _LOG.error('%s: %s', name, msg)
            elif severity == levels.WARNING:
                _LOG.info('%s warning: %s', name, msg)  # many, and mostly harmless
            else:
                _LOG.debug('%s: %s', name, msg)

        def errors(self):
            """Return the errors since the last call as one text, and clear them."""
            found = '; '.join(self._errors)
            self._errors.clear()
            if _OLD_DRIVER.search(found):
                found += ('; error 35: the NVIDIA driver is missing, or too old for the CUDA of '
                          'this wheel: update the driver, or install {}-cu12'.format(
                              name.replace('_', '-')))
            return found or 'no reason given'
    return Logger()
