# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT 8.2 to 11.4, and for RTX 1.7: runs a plan with a fixed batch and image size.

One thread owns context, buffers and engine; buffers are allocated once; copies and network go
through one stream, as a CUDA graph if it can be captured (TensorRT for RTX records its own).
Sources in brackets are files of NVIDIA/TensorRT at a tag.
"""
import logging
from typing import NamedTuple, Optional, Tuple
import weakref

import numpy as np

from pose_ros.core.engines.cuda import Cuda
from pose_ros.core.engines.cuda_buffer import Buffer
from pose_ros.core.engines.cuda_graph import CudaGraph
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.engine import (batch_shape, check_batch, check_open, Engine,
                                          EngineInfo, RunError)
from pose_ros.core.engines.engine_cache import Kernels
from pose_ros.core.engines.tensorrt_library import Library, numpy_dtype
from pose_ros.core.engines.tensorrt_rtx import JustInTime, rejection
from pose_ros.core.engines.tensor_types import check_inputs, to_input, to_output
from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')


class PlanError(EngineError):
    """A plan was built by another TensorRT version, for another GPU, or is damaged."""


class Tensor(NamedTuple):
    """An input or output of the engine; -1 stands for a dynamic axis."""

    name: str
    is_input: bool
    shape: Tuple[int, ...]
    dtype: np.dtype


class TensorRtEngine(Engine):
    """A plan on the GPU; may be called from any thread, one caller at a time.

    `no_graph`: why a run is not launched as one CUDA graph; empty if it is.
    """

    def __init__(self, thread: CudaThread, library: Library, plan: bytes, input_shape,
                 precision: str, path: str, zero_copy: bool = False,
                 kernels: Optional[Kernels] = None):
        """Load a plan and warm it up.

        input_shape: (N, 3, h, w); N counts only if the plan has a range of batch sizes. precision:
        for `describe`. path: for errors. zero_copy: no copies on a GPU that shares the RAM.
        kernels: where TensorRT for RTX keeps what it compiles; None: nowhere. The engine owns the
        thread from now on, except after an error: PlanError if TensorRT rejects the plan,
        ModelError if its input or outputs are not as expected, EngineError if CUDA fails.
        """
        self._precision, self._path, self._library = precision, path, library
        self._thread = thread
        info = thread.call(lambda cuda: cuda.info)
        if zero_copy and not info.integrated:
            _LOG.warning('zero_copy is for GPUs that share the RAM, but %s has its own memory: '
                         'inputs and outputs are copied', info.name)
        mapped = zero_copy and info.integrated
        self._session = thread.call(_Session, library, plan, tuple(input_shape), path, mapped,
                                    kernels)
        self.input_shape = self._session.input_shape
        self.batch_size = self._session.batch_shape[0]
        self.output_names = self._session.output_names
        self.input_type = self._session.input_type
        self.no_graph: str = self._session.no_graph
        self._device = '{} (compute capability {}{})'.format(
            info.name, info.capability, ', zero-copy' if mapped else '')
        # Frees the GPU in the right order at exit, and if `close` is never called.
        self._finalizer = weakref.finalize(self, _end, thread, self._session)

    def infer(self, batch):
        """See Engine.infer."""
        check_open(self._session, self._path)
        check_batch(batch, self._session.batch_shape, True, self._path)
        try:
            return self._thread.call(self._session.infer, batch)
        except EngineError as error:
            raise RunError(str(error)) from error

    def describe(self):
        """See Engine.describe."""
        return EngineInfo(self._library.name, self._library.version, self._device,
                          self._precision, 0, self._path)

    def close(self):
        """See Engine.close."""
        self._session = None
        self._finalizer()

    def release(self) -> None:
        """Close the engine, but not its thread."""
        session, self._session = self._session, None
        if self._finalizer.detach():
            self._thread.call(session.close)


def _end(thread, session):
    try:
        thread.call(session.close)
    finally:
        thread.close()


class _Session:
    """The objects on the GPU; every method runs in the thread that owns it."""

    def __init__(self, cuda: Cuda, library: Library, plan: bytes, input_shape, path, mapped,
                 kernels):
        self._library, self._path = library, path
        self._graph = self._runtime = self._engine = self._tensors = self._jit = None
        self.no_graph = ''
        try:
            self._load(plan, kernels)
            self._allocate(cuda, input_shape, mapped)
            # The first run allocates and loads, which cannot be captured in a graph.
            self._queue(cuda.stream)
            cuda.synchronize()
            if self._jit is not None:
                self._jit.store()
            else:
                self._capture(cuda)
        except BaseException:
            self.close(cuda)
            raise

    def infer(self, cuda, batch):
        """Run a batch; the outputs are overwritten by the next call."""
        np.copyto(self._input.host, to_input(batch, self.input_type))
        if self._graph is not None:
            self._graph.launch()
        else:
            self._queue(cuda.stream)
        cuda.synchronize()
        # Copied, because page-locked memory is not cached on a TX2 (CUDA for Tegra, "I/O
        # coherency"), and is freed with the engine.
        for buffer, array in zip(self._results, self._outputs.values()):
            np.copyto(array, buffer.host)
        return dict(self._outputs)

    def close(self, cuda):
        """Free in the order that TensorRT requires; closing `cuda` frees the buffers."""
        try:
            if self._graph is not None:
                self._graph.close()
        finally:
            self._graph = self._tensors = None
            if self._jit is not None:
                self._jit.close()
            self._engine = None
            self._runtime = None
            self._input = self._results = None

    def _load(self, plan, kernels):
        trt, logger = self._library.module, self._library.logger
        logger.errors()  # clear earlier ones
        self._runtime = trt.Runtime(logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            reason = rejection(self._library, self._runtime, plan)
            raise PlanError('{} cannot load the engine of {}: {}; an engine works only with the '
                            'version and the GPUs that it was built for: build it here, pose-ros '
                            'build-engine MODEL.onnx'.format(self._library, self._path, reason))
        # 8.5 added tensors by name, 10.0 removed numbered bindings [python/src/infer/pyCore.cpp
        # of 8.5.3 and v10.0.1].
        kind = _NamedTensors if hasattr(self._engine, 'num_io_tensors') else _Bindings
        self._tensors = kind(trt, self._engine, self._make_context(trt, kernels))

    def _make_context(self, trt, kernels):
        if hasattr(trt, 'CudaGraphStrategy'):  # only TensorRT for RTX
            self._jit = JustInTime(trt, self._engine, kernels, self._path)
            context = self._jit.context
        else:
            context = self._engine.create_execution_context()
        if context is None:
            raise EngineError('{} cannot prepare the engine of {}: {}'.format(
                self._library, self._path, self._library.logger.errors()))
        return context

    def _allocate(self, cuda, input_shape, mapped):
        inputs = [tensor for tensor in self._tensors.list() if tensor.is_input]
        self.input_type = check_inputs([tensor.dtype.name for tensor in inputs], self._path)
        self.input_shape = tuple(None if size < 0 else size for size in inputs[0].shape)
        self.batch_shape = input_shape = self._batch_shape(inputs[0].name, input_shape)
        self._tensors.set_input_shape(inputs[0].name, input_shape)
        outputs = [tensor for tensor in self._tensors.list() if not tensor.is_input]
        self.output_names = tuple(tensor.name for tensor in outputs)
        self._outputs = {tensor.name: to_output(np.empty(tensor.shape, tensor.dtype))
                         for tensor in outputs}
        self._input = Buffer(cuda, input_shape, inputs[0].dtype, mapped)
        self._input.host[...] = 0
        self._results = [Buffer(cuda, tensor.shape, tensor.dtype, mapped) for tensor in outputs]
        addresses = {name: buffer.address
                     for name, buffer in zip(self.output_names, self._results)}
        addresses[inputs[0].name] = self._input.address
        self._tensors.set_addresses(addresses)

    def _batch_shape(self, name, wanted):
        """Return the batch (N, 3, h, w) that the plan was built for."""
        if None not in self.input_shape:
            return batch_shape(self.input_shape, wanted, self._path)[0]
        lowest, _, highest = self._tensors.profile(name)
        # Where the plan was built by other programs, an axis may have a range.
        admitted = tuple(high if low == high else None for low, high in zip(lowest, highest))
        wanted = (min(max(wanted[0], lowest[0]), highest[0]),) + tuple(wanted[1:])
        return batch_shape(admitted, wanted, self._path)[0]

    def _queue(self, stream):
        """Queue copy in, network, copies out."""
        self._input.send()
        if not self._tensors.enqueue(stream):
            raise EngineError('{} failed on {}: {}'.format(
                self._library.name, self._path, self._library.logger.errors()))
        for buffer in self._results:
            buffer.fetch()

    def _capture(self, cuda):
        """Record a graph, as trtexec does: after a run [samples/common/sampleInference.cpp]."""
        try:
            self._graph = CudaGraph(cuda.stream, lambda: self._queue(cuda.stream))
        except EngineError as error:
            self.no_graph = str(error)
            _LOG.info('%s runs %s without a CUDA graph: %s', self._library.name, self._path,
                      error)


class _NamedTensors:
    """Tensors by name (8.5 and newer)."""

    def __init__(self, trt, engine, context):
        self._trt, self._engine, self._context = trt, engine, context
        self._names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]

    def list(self):
        """Return the engine's tensors, with the shapes that follow from the input's."""
        trt, engine = self._trt, self._engine
        return [Tensor(name, engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                       tuple(self._context.get_tensor_shape(name)),
                       numpy_dtype(trt, engine.get_tensor_dtype(name))) for name in self._names]

    def profile(self, name):
        """Return the smallest, usual and largest shape of a dynamic input."""
        return [tuple(shape) for shape in self._engine.get_tensor_profile_shape(name, 0)]

    def set_input_shape(self, name, shape):
        """Fix the shape of the input."""
        if not self._context.set_input_shape(name, tuple(shape)):
            raise EngineError('TensorRT rejects the input shape {}'.format(shape))

    def set_addresses(self, addresses):
        """Set the address of each tensor, for all runs [NvInferRuntime.h, setTensorAddress]."""
        for name in self._names:
            if not self._context.set_tensor_address(name, addresses[name]):
                raise EngineError('TensorRT rejects the address of {}'.format(name))

    def enqueue(self, stream):
        """Queue the network on a stream; return false if TensorRT rejects it."""
        return self._context.execute_async_v3(stream)


class _Bindings:
    """Tensors by number (8.2 to 8.6): with one profile, a binding each."""

    def __init__(self, trt, engine, context):
        self._trt, self._engine, self._context = trt, engine, context
        self._addresses = []
        self._names = [engine.get_binding_name(index) for index in range(engine.num_bindings)]

    def list(self):
        """See _NamedTensors.list."""
        engine = self._engine
        return [Tensor(name, engine.binding_is_input(index),
                       tuple(self._context.get_binding_shape(index)),
                       numpy_dtype(self._trt, engine.get_binding_dtype(index)))
                for index, name in enumerate(self._names)]

    def profile(self, name):
        """See _NamedTensors.profile."""
        shapes = self._engine.get_profile_shape(0, self._names.index(name))
        return [tuple(shape) for shape in shapes]

    def set_input_shape(self, name, shape):
        """See _NamedTensors.set_input_shape."""
        if not self._context.set_binding_shape(self._names.index(name), tuple(shape)):
            raise EngineError('TensorRT rejects the input shape {}'.format(shape))

    def set_addresses(self, addresses):
        """See _NamedTensors.set_addresses; plain ints, in the order of the bindings."""
        self._addresses = [addresses[name] for name in self._names]

    def enqueue(self, stream):
        """See _NamedTensors.enqueue."""
        return self._context.execute_async_v2(self._addresses, stream)
