# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The engine interface, and the choice of an engine."""
import abc
import importlib
import logging
import platform
from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import EngineError, ModelError, PoseRosError
from pose_ros.core.parameters import Parameter, checked_values

_LOG = logging.getLogger('pose_ros')

# Name -> (module, class); the order is the order in which 'auto' tries them.
BACKENDS = {
    'openvino': ('pose_ros.core.engines.openvino', 'OpenVinoEngine'),
    'onnxruntime': ('pose_ros.core.engines.onnxruntime', 'OnnxRuntimeEngine'),
}

ENGINE_PARAMETERS = (
    Parameter('backend', 'auto', 'Inference engine; auto takes the fastest that works here',
              choices=('auto',) + tuple(sorted(BACKENDS))),
    Parameter('device', 'cpu', 'What the engine runs on; cuda and tensorrt need onnxruntime-gpu',
              choices=('cpu', 'cuda', 'tensorrt')),
    Parameter('threads', 0, 'CPU threads of the network; 0 lets the engine choose', 0, 256),
    Parameter('precision', 'f32',
              'Arithmetic of the network; bf16 (openvino only) trades exactness for speed',
              choices=('f32', 'bf16')),
    Parameter('spinning', False,
              'Let idle onnxruntime threads busy-wait: a faster network, but it takes the cores '
              'from other nodes'),
)


class EngineOptions(NamedTuple):
    """How an engine runs; the fields are ENGINE_PARAMETERS without `backend`."""

    device: str = 'cpu'
    threads: int = 0
    precision: str = 'f32'
    spinning: bool = False


class EngineInfo(NamedTuple):
    """What runs a network: for logs, diagnostics and `pose-ros info`."""

    backend: str
    version: str
    device: str
    precision: str
    threads: int  # 0: the engine's own choice
    model: str

    def __str__(self):
        """Return one line for people."""
        threads = '{} threads'.format(self.threads) if self.threads \
            else 'its own number of threads'
        return '{} {} on {}, {}, {}'.format(
            self.backend, self.version, self.device, self.precision, threads)


class Engine(abc.ABC):
    """A loaded network. Not thread-safe: one caller at a time.

    `input_shape` is (N, 3, height, width) with None for a dynamic axis; `output_names` is a tuple.
    """

    input_shape: Tuple[Optional[int], ...] = (None, None, None, None)
    output_names: Tuple[str, ...] = ()

    @abc.abstractmethod
    def infer(self, batch: np.ndarray) -> Dict[str, np.ndarray]:
        """Run (N, 3, h, w) float32 through the network; outputs by name, float32.

        The arrays may be overwritten by the next call. EngineError if the runtime fails.
        """

    @abc.abstractmethod
    def describe(self) -> EngineInfo:
        """Say what runs the network, and where."""

    @abc.abstractmethod
    def close(self) -> None:
        """Free the network; the engine cannot be used afterwards."""


def check_input_shape(input_shape, expected, path) -> None:
    """Raise ModelError unless a graph's input (None: dynamic) admits the expected shape."""
    fits = len(input_shape) == len(expected) and all(
        have in (None, want) for have, want in zip(input_shape, expected))
    if not fits:
        raise ModelError(
            '{}: the network takes input {}, but the model card (or the chosen input size) '
            'says {}'.format(path, _shown(input_shape), _shown(expected)))


def check_open(network, path) -> None:
    """Raise EngineError once `close` has set an engine's network to None."""
    if network is None:
        raise EngineError('the engine of {} is closed; create a new one'.format(path))


def _shown(shape):
    return 'x'.join('?' if size is None else str(size) for size in shape)


def available_backends() -> Dict[str, str]:
    """Each backend's version, or why it cannot be used, in the order 'auto' tries them."""
    found = {}
    for name in BACKENDS:
        try:
            found[name] = importlib.import_module(name).__version__
        except Exception as error:  # a broken wheel may raise anything; the reason is the answer
            found[name] = 'unavailable: {}'.format(error)
    return found


def create_engine(path: str, input_shape: Tuple[int, int, int, int], backend: str = 'auto',
                  **options) -> Engine:
    """Load a model for batches of `input_shape` (N, 3, h, w); options are those of EngineOptions.

    Raises EngineError if the backend or an option is unknown or absent, ModelError if the file is
    rejected.
    """
    try:
        values = checked_values(
            ENGINE_PARAMETERS, dict(options, backend=backend), 'engine options')
    except PoseRosError as error:
        raise EngineError(str(error))
    values.pop('backend')
    settings = EngineOptions(**values)
    if backend == 'auto':
        return _load_fastest(path, input_shape, settings)
    engine = _load(backend, path, input_shape, settings)
    _LOG.info('engine: %s', engine.describe())
    return engine


def _load(backend, path, input_shape, settings):
    module, name = BACKENDS[backend]
    return getattr(importlib.import_module(module), name)(path, input_shape, settings)


def _load_fastest(path, input_shape, settings):
    """Try backends in turn; the first that loads wins, so only one CPU runtime is set to work."""
    refusals, kind = [], EngineError
    for backend in _candidates(settings):
        try:
            engine = _load(backend, path, input_shape, settings)
        except (EngineError, ModelError) as error:
            refusals.append('{}: {}'.format(backend, error))
            kind = ModelError if isinstance(error, ModelError) else kind
            continue
        _LOG.info('engine: %s, the fastest that works here%s', engine.describe(),
                  ' ({})'.format('; '.join(refusals)) if refusals else '')
        return engine
    raise kind('no engine can run {}: {}'.format(path, '; '.join(refusals)))


def _candidates(settings):
    if settings.device != 'cpu':
        return ['onnxruntime']
    if settings.precision == 'bf16':
        return ['openvino']
    # OpenVINO is the faster one on x86 (1.4 to 1.6 times); elsewhere that is unmeasured.
    on_x86 = platform.machine().lower() in ('x86_64', 'amd64', 'i686')
    return list(BACKENDS) if on_x86 else ['onnxruntime', 'openvino']
