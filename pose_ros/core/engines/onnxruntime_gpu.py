# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of ONNX Runtime on CUDA, with a warning for layers on the CPU, and CUDA graphs.

Facts: onnxruntime.ai, execution provider CUDA; onnxruntime_session_options_config_keys.h for
`session.disable_cpu_ep_fallback` (1.16 and newer; older releases ignore the key).
"""
import logging
from typing import Any, Callable, List

import numpy as np

from pose_ros.core.engines.engine import Shape
from pose_ros.core.engines.tensor_types import tensor_type
from pose_ros.core.errors import EngineError, ModelError

_LOG = logging.getLogger('pose_ros')
CUDA_PROVIDER = 'CUDAExecutionProvider'
_NO_CPU = 'session.disable_cpu_ep_fallback'


def open_on_gpu(runtime, path: str, cuda_graph: bool, make_options: Callable[[], Any],
                shape_of: Callable[[Any], Shape]):
    """Return a session whose first provider is CUDA's, and its GraphRun or None.

    make_options() makes session options; shape_of(session) returns the batch (N, 3, h, w) of a
    CUDA graph. Logs a warning if a requested graph is not possible, or if some layers run on the
    CPU. ModelError if the runtime rejects the file, EngineError if it drops the provider.
    """
    errors = []
    for graph, whole in _attempts(cuda_graph):
        options = make_options()
        if whole:
            options.add_session_config_entry(_NO_CPU, '1')
        try:
            session = runtime.InferenceSession(path, options, providers=_providers(graph, whole),
                                               enable_fallback=0)
            _check_provider(session)
            run = GraphRun(runtime, session, shape_of(session)) if graph else None
        except (EngineError, ModelError):
            raise
        except Exception as error:  # the runtime has no public base class for its errors
            errors.append((graph, ' '.join(str(error).split())))
            continue
        # Else a failure at run time would move the session to the CPU without an error.
        session.disable_fallback()
        for graph, text in errors:
            _LOG.warning('onnxruntime runs %s %s: %s', path, 'without a CUDA graph' if graph else
                         'not on {} alone'.format(CUDA_PROVIDER), text)
        return session, run
    raise ModelError('onnxruntime cannot load {}: {}'.format(path, errors[-1][1]))


def _attempts(cuda_graph):
    """List (as a graph, every layer on the GPU), the best first."""
    return ([(True, True)] if cuda_graph else []) + [(False, True), (False, False)]


def _providers(graph, whole) -> List[Any]:
    # The default tries every convolution at each start: seconds to minutes on a Jetson.
    cuda = {'cudnn_conv_algo_search': 'HEURISTIC'}
    if graph:
        cuda['enable_cuda_graph'] = '1'
    return [(CUDA_PROVIDER, cuda)] + ([] if whole else ['CPUExecutionProvider'])


def _check_provider(session):
    # A provider whose library fails to load is dropped with a log line only.
    first = session.get_providers()[0]
    if first != CUDA_PROVIDER:
        raise EngineError('onnxruntime fell back from {} to {}; check the CUDA libraries'.format(
            CUDA_PROVIDER, first))


class GraphRun:
    """Runs a session from and to GPU memory of fixed addresses, which a CUDA graph needs."""

    def __init__(self, runtime, session, shape: Shape):
        """Bind input (N, 3, h, w) and outputs, and run once; ValueError if that is impossible."""
        if not hasattr(runtime.OrtValue, 'update_inplace'):
            raise ValueError('onnxruntime {} is too old for that'.format(runtime.__version__))
        self._session, self._binding = session, session.io_binding()
        self._input = runtime.OrtValue.ortvalue_from_numpy(
            np.zeros(shape, _type_of(session.get_inputs()[0])), 'cuda', 0)
        self._binding.bind_ortvalue_input(session.get_inputs()[0].name, self._input)
        self._outputs = []
        for output in session.get_outputs():
            self._outputs.append(runtime.OrtValue.ortvalue_from_numpy(
                np.zeros(_output_shape(output, shape[0]), _type_of(output)), 'cuda', 0))
            self._binding.bind_ortvalue_output(output.name, self._outputs[-1])
        self(np.zeros(shape, _type_of(session.get_inputs()[0])))  # records the graph, or raises

    def __call__(self, batch: np.ndarray) -> List[np.ndarray]:
        """Return the outputs; the arrays are new."""
        self._input.update_inplace(batch)
        self._session.run_with_iobinding(self._binding)
        return [output.numpy() for output in self._outputs]


def _type_of(tensor):
    kind = tensor_type(tensor.type)
    if kind is None:
        raise ValueError('{} has the type {}'.format(tensor.name, tensor.type))
    return kind


def _output_shape(output, count):
    first, rest = output.shape[0], list(output.shape[1:])
    if not all(isinstance(size, int) for size in rest):
        raise ValueError('that needs a model with a fixed image size, but its output {} has the '
                         'shape {}'.format(output.name, output.shape))
    return [first if isinstance(first, int) else count] + rest
