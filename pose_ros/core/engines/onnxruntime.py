# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: the engine that runs everywhere (1.10 and newer)."""
from pose_ros.core.engines.engine import (batch_shape, check_batch, check_open, Engine,
                                          EngineInfo)
from pose_ros.core.engines.int8 import cpu_precision
from pose_ros.core.engines.onnxruntime_gpu import CUDA_PROVIDER, open_on_gpu
from pose_ros.core.engines.tensor_types import (check_inputs, to_input, to_output,
                                                without_numbers)
from pose_ros.core.errors import EngineError, ModelError

_CPU_PROVIDER = 'CPUExecutionProvider'


class OnnxRuntimeEngine(Engine):
    """One ONNX Runtime session, in the precision of the file, on the CPU or on CUDA."""

    def __init__(self, path, input_shape, options):
        """Load the model; EngineError without runtime or provider, ModelError for a bad file."""
        self._runtime = _import_runtime()
        if options.precision in ('fp16', 'bf16'):
            raise EngineError('onnxruntime runs the precision of the file: for {} use the '
                              '{} backend, or precision fp32'.format(
                                  options.precision,
                                  'openvino' if options.precision == 'bf16' else 'tensorrt'))
        self._options, self._path, self._wanted = options, path, tuple(input_shape)
        self._check_device()
        self._session, self._graph = self._load()
        self._precision = cpu_precision(path, options.precision, 'onnxruntime')
        self._largest = self._read_input(self._session)
        self.batch_size = self._largest[0]
        self.fixed_batch = self.input_shape[0] is not None or self._graph is not None
        types = {item.name: item.type for item in self._session.get_outputs()}
        self.left_out = without_numbers(types)
        self.output_names = tuple(name for name in types if name not in self.left_out)

    def infer(self, batch):
        """See Engine.infer."""
        check_open(self._session, self._path)
        check_batch(batch, self._largest, self.fixed_batch, self._path)
        try:
            batch = to_input(batch, self.input_type)
            arrays = (self._session.run(list(self.output_names), {self._input_name: batch})
                      if self._graph is None else self._graph(batch))
        except Exception as error:  # the runtime has no public base class for its errors
            raise EngineError('onnxruntime failed on {}: {}'.format(self._path, error))
        return {name: to_output(array) for name, array in zip(self.output_names, arrays)}

    def describe(self):
        """See Engine.describe."""
        return EngineInfo('onnxruntime', self._runtime.__version__, self._options.device,
                          self._precision, self._options.threads, self._path)

    def close(self):
        """See Engine.close."""
        self._session = self._graph = None

    def _check_device(self):
        present = self._runtime.get_available_providers()
        if self._options.device == 'cuda' and CUDA_PROVIDER not in present:
            raise EngineError("device 'cuda' needs {}, but this onnxruntime has {}; install "
                              'onnxruntime-gpu or use device cpu'.format(
                                  CUDA_PROVIDER, ', '.join(present)))

    def _load(self):
        runtime, path = self._runtime, self._path
        if self._options.device == 'cuda':
            return open_on_gpu(runtime, path, self._options.cuda_graph, self._session_options,
                               self._read_input)
        try:
            return runtime.InferenceSession(
                path, self._session_options(), providers=[_CPU_PROVIDER]), None
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError('onnxruntime cannot load {}: {}'.format(path, error))

    def _read_input(self, session):
        """Note name, type and shape of the input; return the largest batch (N, 3, h, w)."""
        inputs = session.get_inputs()
        self.input_type = check_inputs([item.type for item in inputs], self._path)
        self._input_name = inputs[0].name
        self.input_shape = tuple(
            size if isinstance(size, int) else None for size in inputs[0].shape)
        return batch_shape(self.input_shape, self._wanted, self._path)[0]

    def _session_options(self):
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._options.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry('session.intra_op.allow_spinning',
                                         '1' if self._options.allow_spinning else '0')
        options.add_session_config_entry('session.set_denormal_as_zero', '1')
        return options


def _import_runtime():
    try:
        import onnxruntime
    except Exception as error:  # a wheel for another CPU or NumPy may raise anything
        raise EngineError(
            'onnxruntime cannot be imported ({}); pip install onnxruntime'.format(error))
    return onnxruntime
