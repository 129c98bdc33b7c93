# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated runtime: engines and contexts of either execution API, ONNX Runtime inside."""
import numpy as np

import fake_cuda
import fake_rtx
import fake_tensorrt
from surface import Shaped


_TYPES = {'tensor(float)': ('FLOAT', np.float32), 'tensor(float16)': ('HALF', np.float16),
          'tensor(uint8)': ('UINT8', np.uint8), 'tensor(int32)': ('INT32', np.int32),
          'tensor(bool)': ('BOOL', np.bool_)}


class Runtime(Shaped):
    """tensorrt.Runtime."""

    def __init__(self, logger):
        fake_tensorrt.check_logger(self._trt, logger)
        self._logger = logger

    def deserialize_cuda_engine(self, serialized_engine):
        trt = self._trt
        found = fake_tensorrt.unpack(trt, bytes(serialized_engine))
        if not trt._machine.stack():
            found = 'CUDA initialization failure with error: 201'
        if isinstance(found, str):
            fake_tensorrt.log(trt, self._logger, found)
            return None
        return trt._kinds['ICudaEngine'](self._logger, *found)

    def get_engine_validity(self, buffer):
        kinds, found = self._trt.EngineInvalidityDiagnostics, fake_tensorrt.unpack(
            self._trt, bytes(buffer))
        if not isinstance(found, str):
            return self._trt.EngineValidity.VALID, 0
        kind = (kinds.UNSUPPORTED_CC if 'GPU' in found else
                kinds.VERSION_MISMATCH if 'Version' in found else kinds.MALFORMED_ENGINE)
        return self._trt.EngineValidity.INVALID, int(kind)


class ICudaEngine(Shaped):
    """tensorrt.ICudaEngine."""

    def __init__(self, logger, model, facts):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(
            model, options, providers=['CPUExecutionProvider'])
        self._logger, self._facts, self._model = logger, facts, model
        self._io = [(item, mode) for items, mode in (
            (self._session.get_inputs(), 'INPUT'), (self._session.get_outputs(), 'OUTPUT'))
            for item in items]
        self._names = [item.name for item, _ in self._io]

    def create_execution_context(self, runtime_config=None):
        if runtime_config is not None:
            fake_rtx.compile_kernels(self._trt, runtime_config, self._model)
        return self._trt._kinds['IExecutionContext'](self, runtime_config)

    def create_runtime_config(self):
        return self._trt._kinds['IRuntimeConfig']()

    # By number, up to 8.6.
    @property
    def num_bindings(self):
        return len(self._io)

    def get_binding_name(self, index):
        return self._names[index]

    def binding_is_input(self, index):
        return self._io[index][1] == 'INPUT'

    def get_binding_dtype(self, index):
        return self._dtype(self._io[index][0])

    def get_profile_shape(self, profile_index, binding):
        return self._profile(binding, profile_index)

    # By name, since 8.5.
    def get_tensor_profile_shape(self, name, profile_index):
        return self._profile(self._names.index(name), profile_index)

    def _profile(self, binding, profile_index):
        assert (binding, profile_index) == (0, 0) and self._facts['shape']
        return [tuple(self._facts['shape'])] * 3

    @property
    def num_io_tensors(self):
        return len(self._io)

    def get_tensor_name(self, index):
        return self._names[index]

    def get_tensor_mode(self, name):
        return getattr(self._trt.TensorIOMode, self._io[self._names.index(name)][1])

    def get_tensor_dtype(self, name):
        return self._dtype(self._io[self._names.index(name)][0])

    def _dtype(self, item):
        return getattr(self._trt.DataType, _TYPES[item.type][0])


class IExecutionContext(Shaped):
    """tensorrt.IExecutionContext."""

    def __init__(self, engine, runtime_config=None):
        self._engine, self._addresses, self._shape, self._ran = engine, {}, None, False
        self._own_graph = runtime_config is not None and (
            runtime_config._graphs.name == 'WHOLE_GRAPH_CAPTURE')

    def set_binding_shape(self, binding, shape):
        return self._set_shape(self._engine._names[binding], shape)

    def get_binding_shape(self, binding):
        return self._get_shape(self._engine._names[binding])

    def set_input_shape(self, name, shape):
        return self._set_shape(name, shape)

    def get_tensor_shape(self, name):
        return self._get_shape(name)

    def set_tensor_address(self, name, memory):
        if type(memory) is not int:
            raise TypeError('set_tensor_address(): incompatible function arguments')
        if name not in self._engine._names:
            return False
        self._addresses[name] = memory
        return True

    def execute_async_v2(self, bindings, stream_handle, input_consumed=None):
        if not all(type(address) is int for address in bindings):
            raise TypeError('execute_async_v2(): incompatible function arguments')
        if len(bindings) != len(self._engine._names):
            return self._refuse('{} bindings are needed'.format(len(self._engine._names)))
        return self._execute(dict(zip(self._engine._names, bindings)), stream_handle)

    def execute_async_v3(self, stream_handle):
        missing = [name for name in self._engine._names if name not in self._addresses]
        if missing:
            return self._refuse('Neither address or allocator is set for output tensor {}. Call '
                                'setTensorAddress'.format(missing[0]))
        return self._execute(self._addresses, stream_handle)

    def _item(self, name):
        return self._engine._io[self._engine._names.index(name)][0]

    def _set_shape(self, name, shape):
        sizes = self._item(name).shape
        profile = self._engine._facts['shape']
        allowed = profile or [size if isinstance(size, int) else -1 for size in sizes]
        if not isinstance(shape, tuple) or list(shape) != list(allowed):
            return self._refuse('the shape {} does not fit the profile {}'.format(shape, allowed))
        self._shape = tuple(shape)
        return True

    def _get_shape(self, name):
        sizes = [size if isinstance(size, int) else -1 for size in self._item(name).shape]
        if -1 in sizes and self._shape:
            if self._item(name) is self._engine._io[0][0]:
                return self._shape
            found = self._engine._session.run([name], {
                self._engine._names[0]: np.zeros(self._shape, np.float32)})
            return tuple(found[0].shape)
        return tuple(sizes)

    def _refuse(self, text):
        fake_tensorrt.log(self._trt, self._engine._logger, text)
        return False

    def _execute(self, addresses, stream_handle):
        trt = self._trt
        machine, settings = trt._machine, trt._settings
        if not machine.stack():
            return self._refuse('CUDA error 201: no context is current in this thread')
        if stream_handle not in machine.streams:
            return self._refuse('the default stream, or none that exists')
        stream = machine.streams[stream_handle]
        if stream.recording is not None and not (self._ran and settings.graphs):
            stream.broken = True
            return self._refuse('CUDA error 900: operation not permitted when stream is capturing')
        machine.launches += self._own_graph and self._ran
        self._ran = True
        fake_cuda.enqueue(machine, stream_handle, lambda: self._run(dict(addresses)))
        return True

    def _run(self, addresses):
        machine, engine = self._trt._machine, self._engine
        first = engine._names[0]
        batch = self._array(machine, first, addresses)
        outputs = engine._names[1:]
        for name, array in zip(outputs, engine._session.run(outputs, {first: batch})):
            self._array(machine, name, addresses)[...] = self._rounded(array)

    def _array(self, machine, name, addresses):
        shape = self._get_shape(name)
        dtype = _TYPES[self._item(name).type][1]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return machine.block(addresses[name], size).view(dtype).reshape(shape)

    def _rounded(self, array):
        settings, facts = self._trt._settings, self._engine._facts
        if facts['half'] and array.dtype.kind == 'f':
            array = array.astype(np.float16).astype(array.dtype)
            if settings.broken_half:
                array = array * np.float32('nan')
        if settings.wrong_peaks:
            array = np.roll(array, 3, -1)
        return array


CLASSES = [Runtime, ICudaEngine, IExecutionContext]
