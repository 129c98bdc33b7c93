# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA graphs by ctypes, because PyCUDA has none and the calls depend on the driver.

Signatures: cuda.h of CUDA 10.2, 11.4 and 12.
"""
import ctypes
from typing import Callable

from pose_ros.core.engines import cuda_driver
from pose_ros.core.errors import EngineError

# In the global mode, CUDA calls of other threads break the capture, and the capture makes them
# fail (CUstreamCaptureMode in cuda.h).
_THREAD_LOCAL = 1
_POINTER, _OUT = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
_INSTANTIATE = (
    # The first since driver 11.4, the others before; five arguments in 10.2 to 11.3.
    ('cuGraphInstantiateWithFlags', [_OUT, _POINTER, ctypes.c_ulonglong]),
    ('cuGraphInstantiate_v2', [_OUT, _POINTER, _OUT, ctypes.c_char_p, ctypes.c_size_t]),
    ('cuGraphInstantiate', [_OUT, _POINTER, _OUT, ctypes.c_char_p, ctypes.c_size_t]))


class CudaGraph:
    """The work of one stream, recorded once and launched as a whole.

    Create, launch and close it in the thread of the context, and before the context is closed.
    """

    def __init__(self, stream: int, work: Callable[[], None]):
        """Record what `work` queues on a stream (not the default one); EngineError if impossible.

        `work` must have run before, because libraries allocate in their first run. The graph keeps
        all addresses that `work` uses.
        """
        self._library, self._stream, self._executable = cuda_driver.load_driver(), stream, None
        graph = ctypes.c_void_p()
        self._call('cuStreamBeginCapture_v2', [_POINTER, ctypes.c_int], stream, _THREAD_LOCAL)
        try:
            work()
        finally:  # else the stream would stay in capture mode
            error = self._error('cuStreamEndCapture', [_POINTER, _OUT], stream,
                                ctypes.byref(graph))
        if error or not graph.value:
            raise EngineError('CUDA: the capture of a graph failed: error {}'.format(error))
        try:
            self._executable = self._instantiate(graph)
        finally:
            self._call('cuGraphDestroy', [_POINTER], graph)

    def launch(self) -> None:
        """Queue the recorded work on the stream."""
        self._call('cuGraphLaunch', [_POINTER, _POINTER], self._executable, self._stream)

    def close(self) -> None:
        """Free the graph."""
        executable, self._executable = self._executable, None
        if executable is not None:
            self._call('cuGraphExecDestroy', [_POINTER], executable)

    def _instantiate(self, graph):
        executable = ctypes.c_void_p()
        for name, types in _INSTANTIATE:
            if hasattr(self._library, name):
                rest = (0,) if len(types) == 3 else (None, None, 0)
                self._call(name, types, ctypes.byref(executable), graph, *rest)
                return executable
        raise EngineError('CUDA: this driver cannot instantiate graphs')

    def _call(self, name, types, *arguments):
        error = self._error(name, types, *arguments)
        if error:
            raise EngineError('CUDA: {} failed: error {}'.format(name, error))

    def _error(self, name, types, *arguments):
        function = getattr(self._library, name, None)
        if function is None:
            raise EngineError('CUDA: this driver has no {}'.format(name))
        function.argtypes, function.restype = types, ctypes.c_int
        return function(*arguments)
