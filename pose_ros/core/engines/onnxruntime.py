# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: the engine that runs everywhere (1.10 and newer)."""
from pose_ros.core.engines.engine import (check_input_shape, check_open, Engine,
                                          EngineInfo)
from pose_ros.core.engines.onnxruntime_gpu import GPU_PROVIDERS, GpuOptions, open_on_gpu
from pose_ros.core.errors import EngineError, ModelError

_CPU = 'CPUExecutionProvider'


class OnnxRuntimeEngine(Engine):
    """One ONNX Runtime session; float32 on the CPU, or a GPU provider when asked for."""

    def __init__(self, path, input_shape, options):
        """Load the model; EngineError without runtime or provider, ModelError for a bad file."""
        self._runtime = _import_runtime()
        half = options.device == 'tensorrt' and options.precision == 'fp16'
        if options.precision not in ('auto', 'fp32') and not half:
            raise EngineError('onnxruntime runs the precision that is in the file: for {} use the '
                              '{} backend, or precision fp32'.format(
                                  options.precision,
                                  'openvino' if options.precision == 'bf16' else 'tensorrt'))
        self._options, self._path = options, path
        self._precision = 'fp16' if half else 'fp32'
        self._session, self._run = self._load(path, input_shape)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != 'tensor(float)':
            raise ModelError('{}: a network with one float32 input is needed, not {}'.format(
                path, [(item.name, item.type) for item in inputs]))
        self._input_name = inputs[0].name
        self.input_shape = tuple(
            size if isinstance(size, int) else None for size in inputs[0].shape)
        self.output_names = tuple(item.name for item in self._session.get_outputs())
        check_input_shape(self.input_shape, input_shape, path)

    def infer(self, batch):
        """See Engine.infer."""
        check_open(self._session, self._path)
        try:
            arrays = (self._session.run(None, {self._input_name: batch})
                      if self._run is None else self._run(batch))
        except Exception as error:  # the runtime has no public base class for its errors
            raise EngineError('onnxruntime failed on {}: {}'.format(self._path, error))
        return dict(zip(self.output_names, arrays))

    def describe(self):
        """See Engine.describe."""
        return EngineInfo('onnxruntime', self._runtime.__version__, self._options.device,
                          self._precision, self._options.threads, self._path)

    def close(self):
        """See Engine.close."""
        self._session = self._run = None

    def _load(self, path, input_shape):
        device, runtime = self._options.device, self._runtime
        provider = GPU_PROVIDERS.get(device, _CPU)
        present = runtime.get_available_providers()
        if provider not in present:
            raise EngineError('device {!r} needs {}, but this onnxruntime offers {}; install '
                              'onnxruntime-gpu or use device cpu'.format(
                                  device, provider, ', '.join(present)))
        if device != 'cpu':
            wanted = GpuOptions(device, self._precision == 'fp16', self._options.cuda_graph)
            return open_on_gpu(runtime, path, input_shape, wanted, self._session_options)
        try:
            return runtime.InferenceSession(
                path, self._session_options(), providers=[_CPU]), None
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError('onnxruntime cannot load {}: {}'.format(path, error))

    def _session_options(self):
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._options.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry('session.intra_op.allow_spinning',
                                         '1' if self._options.spinning else '0')
        options.add_session_config_entry('session.set_denormal_as_zero', '1')
        return options


def _import_runtime():
    try:
        import onnxruntime
    except Exception as error:  # a wheel for another CPU or NumPy may raise anything
        raise EngineError(
            'onnxruntime cannot be imported ({}); pip install onnxruntime'.format(error))
    return onnxruntime
