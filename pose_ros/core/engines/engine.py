# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The engine interface, and the choice of an engine."""
import abc
import importlib
import importlib.util
import logging
import platform
from typing import Callable, Dict, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import EngineError, ModelError, PoseRosError
from pose_ros.core.parameters import Parameter, checked_values

_LOG = logging.getLogger('pose_ros')

# Name -> (module, class); the order is the order in which 'auto' tries them.
BACKENDS = {
    'tensorrt': ('pose_ros.core.engines.tensorrt_loader', 'open_tensorrt'),
    'openvino': ('pose_ros.core.engines.openvino', 'OpenVinoEngine'),
    'onnxruntime': ('pose_ros.core.engines.onnxruntime', 'OnnxRuntimeEngine'),
}

ENGINE_PARAMETERS = (
    Parameter('backend', 'auto', 'Inference engine; auto takes the fastest that works here',
              choices=('auto',) + tuple(sorted(BACKENDS))),
    Parameter('device', 'cpu', 'What onnxruntime runs on; cuda and tensorrt need onnxruntime-gpu',
              choices=('cpu', 'cuda', 'tensorrt')),
    Parameter('threads', 0, 'CPU threads of the network; 0 lets the engine choose', 0, 256),
    Parameter('precision', 'auto',
              'Arithmetic of the network; auto is fp32 on a CPU and, where it is as good, fp16 on '
              'TensorRT; fp16 and int8 are for TensorRT, bf16 for openvino only',
              choices=('auto', 'fp32', 'fp16', 'int8', 'bf16')),
    Parameter('spinning', False,
              'Let idle onnxruntime threads busy-wait: a faster network, but it takes the cores '
              'from other nodes'),
    Parameter('build', 'wait',
              'While TensorRT builds its engine, once per model and machine: wait for it, or let '
              'onnxruntime serve and build in the background', choices=('wait', 'background')),
    Parameter('workspace', 0,
              'GPU memory that a TensorRT build may use; 0 takes a quarter of what is free, up to '
              '1024', 0, 65536, unit='MiB'),
    Parameter('cuda_graph', False,
              'Launch the network as one CUDA graph on a GPU device of onnxruntime, which needs a '
              'model with static shapes; the tensorrt backend does so by itself'),
    Parameter('mapped', False,
              'Let a GPU that shares the RAM, as those of a Jetson do, read the image and write '
              'the maps in place; tensorrt copies both else'),
    Parameter('strict', False,
              'Fail where the tensorrt backend cannot work, instead of a warning and the CPU'),
)


class RunError(EngineError):
    """A loaded engine failed in its work; another engine may not."""


class EngineOptions(NamedTuple):
    """How an engine runs; the fields are ENGINE_PARAMETERS without `backend`, and a sample.

    sample() makes a typical input (N, 3, h, w), on which a built engine must be right.
    """

    device: str = 'cpu'
    threads: int = 0
    precision: str = 'auto'
    spinning: bool = False
    build: str = 'wait'
    workspace: int = 0
    cuda_graph: bool = False
    mapped: bool = False
    strict: bool = False
    sample: Optional[Callable[[], np.ndarray]] = None


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
        text = '{} {} on {}, {}'.format(self.backend, self.version, self.device, self.precision)
        if self.backend == 'tensorrt':
            return text
        return text + (', {} threads'.format(self.threads) if self.threads
                       else ', its own number of threads')


class Engine(abc.ABC):
    """A loaded network. Not thread-safe: one caller at a time.

    `input_shape` is (N, 3, height, width) with None for a dynamic axis; `output_names` is a tuple.
    `note` says what is still to come, `fault` why this is not the engine that was asked for.
    """

    note: str = ''
    fault: str = ''

    input_shape: Tuple[Optional[int], ...] = (None, None, None, None)
    batch_size: int = 1
    fixed_batch: bool = True
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
                  sample: Optional[Callable[[], np.ndarray]] = None, **options) -> Engine:
    """Load a model for batches of `input_shape` (N, 3, h, w); options are those of EngineOptions.

    Raises EngineError if the backend or an option is unknown or absent, ModelError if the file is
    rejected. Without the option `strict`, a CPU engine whose `fault` says why takes the place of
    a tensorrt engine that cannot be had.
    """
    try:
        values = checked_values(
            ENGINE_PARAMETERS, dict(options, backend=backend), 'engine options')
    except PoseRosError as error:
        raise EngineError(str(error))
    values.pop('backend')
    settings = EngineOptions(sample=sample, **values)
    if backend == 'auto':
        return _load_fastest(path, input_shape, settings, _candidates(path, settings))
    try:
        engine = _load(backend, path, input_shape, settings)
    except (EngineError, ModelError) as error:
        if backend != 'tensorrt' or settings.strict or _is_plan(path):
            raise
        return load_instead(path, input_shape, settings, error)
    _LOG.info('engine: %s%s', engine.describe(), engine.note and ', while ' + engine.note)
    return engine


def _load(backend, path, input_shape, settings):
    module, name = BACKENDS[backend]
    return getattr(importlib.import_module(module), name)(path, input_shape, settings)


def load_instead(path: str, input_shape, settings: EngineOptions, error: Exception) -> Engine:
    """Load the fastest CPU engine; its `fault` says that the GPU's failed, and how."""
    settings = settings._replace(device='cpu', precision='fp32')
    engine = _load_fastest(path, input_shape, settings, _cpu_backends())
    engine.fault = '{} serves instead of tensorrt: {}'.format(
        engine.describe().backend, ' '.join(str(error).split()))
    _LOG.warning(engine.fault)
    return engine


def _load_fastest(path, input_shape, settings, candidates):
    """Try backends in turn; the first that loads wins, so only one CPU runtime is set to work."""
    refusals, kind = [], EngineError
    for backend in candidates:
        try:
            engine = _load(backend, path, input_shape, settings)
        except (EngineError, ModelError) as error:
            refusals.append('{}: {}'.format(backend, error))
            kind = ModelError if isinstance(error, ModelError) else kind
            continue
        _LOG.info('engine: %s, %s%s', engine.describe(),
                  engine.note and 'while ' + engine.note or 'the fastest that works here',
                  ' ({})'.format('; '.join(refusals)) if refusals else '')
        return engine
    raise kind('no engine can run {}: {}'.format(path, '; '.join(refusals)))


def _candidates(path, settings):
    if _is_plan(path):
        return ['tensorrt']
    if settings.device != 'cpu':
        return ['onnxruntime']
    if settings.precision == 'bf16':
        return ['openvino']
    if settings.precision in ('fp16', 'int8'):
        return ['tensorrt']
    # Where nobody installed it, its absence is no news.
    installed = importlib.util.find_spec('tensorrt') is not None
    return (['tensorrt'] if installed else []) + _cpu_backends()


def _cpu_backends():
    # OpenVINO is the faster one on x86 (1.4 to 1.6 times); elsewhere that is unmeasured.
    on_x86 = platform.machine().lower() in ('x86_64', 'amd64', 'i686')
    return ['openvino', 'onnxruntime'] if on_x86 else ['onnxruntime', 'openvino']


def _is_plan(path):
    return path.endswith('.engine')
