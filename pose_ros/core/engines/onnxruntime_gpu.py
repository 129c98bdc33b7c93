# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of ONNX Runtime on a GPU: nothing goes to the CPU in silence, and graphs of CUDA.

Facts: onnxruntime.ai, execution providers CUDA and TensorRT; onnxruntime_session_options_config_
keys.h for `session.disable_cpu_ep_fallback` (1.16 and newer; older releases ignore the key).
"""
import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np

from pose_ros.core.card_files import sha256
from pose_ros.core.engines.engine_cache import default_folder, file_name
from pose_ros.core.errors import EngineError, ModelError

_LOG = logging.getLogger('pose_ros')
_CUDA, _TENSORRT = 'CUDAExecutionProvider', 'TensorrtExecutionProvider'
GPU_PROVIDERS = {'cuda': _CUDA, 'tensorrt': _TENSORRT}
_NO_CPU = 'session.disable_cpu_ep_fallback'


class GpuOptions(NamedTuple):
    """What to run on: device 'cuda' or 'tensorrt', half precision (tensorrt), one CUDA graph."""

    device: str
    half: bool
    graph: bool


def open_on_gpu(runtime, path: str, shape, wanted: GpuOptions, make_options: Callable[[], Any]):
    """Return a session whose first provider is the device's, and its GraphRun or None.

    A warning says if a graph cannot be had for batches of `shape`, or parts of the network run
    elsewhere. make_options() makes session options. ModelError if the runtime refuses the file,
    EngineError if it drops the provider.
    """
    refusals = []
    for graph, whole in _trials(wanted.graph):
        options = make_options()
        if whole:
            options.add_session_config_entry(_NO_CPU, '1')
        providers = _providers(runtime, path, wanted._replace(graph=graph), whole)
        try:
            session = runtime.InferenceSession(path, options, providers=providers,
                                               enable_fallback=0)
            _check_provider(session, wanted.device)
            run = GraphRun(runtime, session, shape) if graph else None
        except EngineError:
            raise
        except Exception as error:  # the runtime has no public base class for its errors
            refusals.append((graph, ' '.join(str(error).split())))
            continue
        # After a failure it would go on with the CPU, and say so on the terminal only.
        session.disable_fallback()
        for graph, refusal in refusals:
            _LOG.warning('onnxruntime runs %s %s: %s', path, 'without a CUDA graph' if graph else
                         'not on {} alone'.format(GPU_PROVIDERS[wanted.device]), refusal)
        return session, run
    raise ModelError('onnxruntime cannot load {}: {}'.format(path, refusals[-1][1]))


def _trials(graph):
    """List (as a graph, wholly on the GPU), the best first."""
    return ([(True, True)] if graph else []) + [(False, True), (False, False)]


def _providers(runtime, path, wanted, whole) -> List[Any]:
    found: List[Any] = []
    if wanted.device == 'tensorrt':
        found.append((_TENSORRT, _tensorrt_options(runtime, path, wanted)))
    if wanted.device == 'cuda' or (_CUDA in runtime.get_available_providers() and not whole):
        # The default tries every convolution at each start: seconds to minutes on a Jetson.
        cuda = {'cudnn_conv_algo_search': 'HEURISTIC'}
        if wanted.graph:
            cuda['enable_cuda_graph'] = '1'
        found.append((_CUDA, cuda))
    return found if whole else found + ['CPUExecutionProvider']


def _tensorrt_options(runtime, path, wanted) -> Dict[str, Any]:
    options: Dict[str, Any] = {'trt_fp16_enable': wanted.half}
    if wanted.graph:
        options['trt_cuda_graph_enable'] = True
    # Its own cache knows neither model nor version, so the folder does.
    folder = os.path.join(os.path.dirname(default_folder()), 'onnxruntime', file_name(
        '{}-{}-{}'.format(sha256(path)[:20], runtime.__version__,
                          'fp16' if wanted.half else 'fp32')))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        _LOG.warning('TensorRT engines of onnxruntime cannot be kept in %s (%s): they are '
                     'built at each start', folder, error.strerror)
        return options
    return dict(options, trt_engine_cache_enable=True, trt_engine_cache_path=folder)


def _check_provider(session, device):
    # A provider whose library fails to load is dropped with a log line only.
    wanted, first = GPU_PROVIDERS[device], session.get_providers()[0]
    if first != wanted:
        raise EngineError('onnxruntime fell back from {} to {}; check the CUDA and TensorRT '
                          'libraries'.format(wanted, first))


class GraphRun:
    """Runs a session from and to fixed GPU memory, which a CUDA graph needs."""

    def __init__(self, runtime, session, shape):
        """Bind input and outputs, and run once; ValueError where that cannot be."""
        if not hasattr(runtime.OrtValue, 'update_inplace'):
            raise ValueError('onnxruntime {} is too old for that'.format(runtime.__version__))
        self._session, self._binding = session, session.io_binding()
        self._input = runtime.OrtValue.ortvalue_from_numpy(
            np.zeros(shape, np.float32), 'cuda', 0)
        self._binding.bind_ortvalue_input(session.get_inputs()[0].name, self._input)
        self._outputs = []
        for output in session.get_outputs():
            if not all(isinstance(size, int) for size in output.shape):
                raise ValueError('that needs a model with static shapes, and its output {} has '
                                 '{}'.format(output.name, output.shape))
            self._outputs.append(runtime.OrtValue.ortvalue_from_numpy(
                np.zeros(output.shape, np.float32), 'cuda', 0))
            self._binding.bind_ortvalue_output(output.name, self._outputs[-1])
        self(np.zeros(shape, np.float32))  # records the graph, and shows whether it can

    def __call__(self, batch: np.ndarray) -> List[np.ndarray]:
        """Return the outputs; the arrays are new."""
        self._input.update_inplace(batch)
        self._session.run_with_iobinding(self._binding)
        return [output.numpy() for output in self._outputs]
