# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The choice of an engine."""
import importlib
import importlib.util
import logging
import platform
from typing import Callable, Dict, List, Optional, Tuple, Type

import numpy as np

from pose_ros.core.engines.cuda_driver import compute_capability
from pose_ros.core.engines.engine import Engine
from pose_ros.core.engines.int8 import chosen_file, fast_int8
from pose_ros.core.engines.options import (BACKENDS, EngineOptions, is_plan,
                                           make_options)
from pose_ros.core.engines.tensorrt_rtx import is_supported
from pose_ros.core.errors import EngineError, ModelError, PoseRosError
from pose_ros.core.onnx_check import check_onnx

_LOG = logging.getLogger('pose_ros')
_OPENVINO_FORM = '.xml'
_TENSORRT = ('tensorrt', 'tensorrt_rtx')  # auto takes the first that is installed


def available_backends() -> Dict[str, str]:
    """Return each backend's version, or why it cannot be used, in the order of BACKENDS."""
    found = {}
    for name in BACKENDS:
        try:
            found[name] = importlib.import_module(name).__version__
        except Exception as error:  # a broken wheel may raise anything
            found[name] = 'unavailable: {}'.format(error)
    return found


def create_engine(path: str, input_shape: Tuple[int, int, int, int], backend: str = 'auto',
                  sample: Optional[Callable[[], np.ndarray]] = None,
                  agrees: Optional[Callable[[Dict, Dict, str], str]] = None,
                  int8_file: str = '', **options) -> Engine:
    """Load a model for batches of up to `input_shape` (N, 3, h, w).

    N is replaced by the file's where that is static; see Engine.batch_size. sample, agrees,
    int8_file and the options: see EngineOptions. Raises EngineError if the backend or an option
    is unknown or unavailable, ModelError if the file is rejected. If the tensorrt or tensorrt_rtx
    backend fails and `require_tensorrt` is off, the result is a CPU engine, and its
    `degraded_reason` is set.
    """
    settings = make_options(backend, options, sample=sample, agrees=agrees, int8_file=int8_file)
    for name in (path, int8_file):
        if name and not is_plan(name) and not name.lower().endswith(_OPENVINO_FORM):
            check_onnx(name)
    if backend == 'auto':
        return _load_fastest(path, input_shape, settings, _candidates(path, settings))
    try:
        engine = _load(backend, path, input_shape, settings)
    except (EngineError, ModelError) as error:
        if backend not in _TENSORRT or settings.require_tensorrt or is_plan(path):
            raise
        return load_cpu_fallback(path, input_shape, settings, backend, error)
    _LOG.info('engine: %s%s%s', engine.describe(), _why_int8(engine, settings),
              engine.status and ', while ' + engine.status)
    return engine


def prefers_gpu(path: str, backend: str = 'auto', **options) -> bool:
    """Return whether create_engine tries a GPU first; nothing is loaded."""
    settings = make_options(backend, options)
    first = _candidates(path, settings)[0] if backend == 'auto' else backend
    return first in _TENSORRT or (first == 'onnxruntime' and settings.device != 'cpu')


def tensorrt_backend() -> str:
    """Return the TensorRT backend that is installed: tensorrt, else tensorrt_rtx; nothing loads.

    tensorrt if neither is.
    """
    return ([name for name in _TENSORRT if _is_installed(name)] + ['tensorrt'])[0]


def load_cpu_fallback(path: str, input_shape, settings: EngineOptions, backend: str,
                      error: Exception) -> Engine:
    """Load the fastest CPU engine; `degraded_reason` holds the error of the GPU backend."""
    settings = settings.replaced(device='cpu', precision='auto')
    engine = _load_fastest(path, input_shape, settings, _cpu_backends())
    engine.degraded_reason = '{} runs instead of {}: {}'.format(
        engine.describe().backend, backend, ' '.join(str(error).split()))
    _LOG.warning(engine.degraded_reason)
    return engine


def _load(backend, path, input_shape, settings):
    module, name = BACKENDS[backend]
    return getattr(importlib.import_module(module), name)(
        chosen_file(path, backend, settings), input_shape, settings)


def _why_int8(engine, settings):
    if settings.precision != 'auto' or engine.describe().model != settings.int8_file:
        return ''
    return ' (this CPU has {}; precision fp32 runs the float file)'.format(fast_int8())


def _load_fastest(path, input_shape, settings, candidates) -> Engine:
    """Try backends in turn; the first that loads is taken, so only one CPU runtime is loaded."""
    errors: List[str] = []
    kind: Type[PoseRosError] = EngineError
    for backend in candidates:
        try:
            engine = _load(backend, path, input_shape, settings)
        except (EngineError, ModelError) as error:
            errors.append('{}: {}'.format(backend, error))
            kind = ModelError if isinstance(error, ModelError) else kind
            continue
        _LOG.info('engine: %s%s, %s%s', engine.describe(), _why_int8(engine, settings),
                  'while ' + engine.status if engine.status else 'the fastest that works here',
                  ' ({})'.format('; '.join(errors)) if errors else '')
        return engine
    raise kind('no engine can run {}: {}'.format(path, '; '.join(errors)))


def _candidates(path, settings):
    if is_plan(path):
        return [_plan_backend(path)]
    if settings.device != 'cpu':
        return ['onnxruntime']
    if settings.precision == 'bf16':
        return ['openvino']
    if settings.precision == 'fp16':
        return [tensorrt_backend()]
    return _gpu_backends() + _cpu_backends()


def _plan_backend(path):
    """Return the backend that built an engine file; ModelError for an unknown one."""
    from pose_ros.core.card_files import read_engine_facts  # which imports this package
    backend = read_engine_facts(path).get('backend', tensorrt_backend())
    if backend not in _TENSORRT:
        raise ModelError('{0}.json names the unknown backend {1!r}: build {0} again with pose-ros '
                         'build-engine'.format(path, backend))
    return backend


def _gpu_backends():
    # Do not log TensorRT as missing if it is not installed. TensorRT for RTX may be installed
    # without a GPU, to build engines for other machines.
    backend = tensorrt_backend()
    wanted = _is_installed(backend) and (
        backend == 'tensorrt' or is_supported(compute_capability() or '0.0'))
    return [backend] if wanted else []


def _is_installed(module):
    return importlib.util.find_spec(module) is not None


def _cpu_backends():
    # OpenVINO is 1.4 to 1.6 times faster on x86; other processors are not measured.
    on_x86 = platform.machine().lower() in ('x86_64', 'amd64', 'i686')
    return ['openvino', 'onnxruntime'] if on_x86 else ['onnxruntime', 'openvino']
