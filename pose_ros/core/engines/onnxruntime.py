# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: the engine that runs everywhere (1.10 and newer)."""
import logging
import os

from pose_ros.core.card_files import sha256
from pose_ros.core.engines.engine import (check_input_shape, check_open, Engine,
                                          EngineInfo)
from pose_ros.core.engines.engine_cache import default_folder, file_name
from pose_ros.core.errors import EngineError, ModelError

_LOG = logging.getLogger('pose_ros')
_PROVIDERS = {'cpu': 'CPUExecutionProvider', 'cuda': 'CUDAExecutionProvider',
              'tensorrt': 'TensorrtExecutionProvider'}


class OnnxRuntimeEngine(Engine):
    """One ONNX Runtime session; float32 on the CPU, or a GPU provider when asked for."""

    def __init__(self, path, input_shape, options):
        """Load the model; EngineError without runtime or provider, ModelError for a bad file."""
        self._runtime = _import_runtime()
        half = options.device == 'tensorrt' and options.precision == 'f16'
        if options.precision not in ('auto', 'f32') and not half:
            raise EngineError('onnxruntime runs the precision that is in the file: for {} use the '
                              '{} backend, or precision f32'.format(
                                  options.precision,
                                  'openvino' if options.precision == 'bf16' else 'tensorrt'))
        self._options, self._path = options, path
        self._precision = 'f16' if half else 'f32'
        self._session = self._load(path)
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
            arrays = self._session.run(None, {self._input_name: batch})
        except Exception as error:  # the runtime has no public base class for its errors
            raise EngineError('onnxruntime failed on {}: {}'.format(self._path, error))
        return dict(zip(self.output_names, arrays))

    def describe(self):
        """See Engine.describe."""
        return EngineInfo('onnxruntime', self._runtime.__version__, self._options.device,
                          self._precision, self._options.threads, self._path)

    def close(self):
        """See Engine.close."""
        self._session = None

    def _load(self, path):
        provider = _PROVIDERS[self._options.device]
        present = self._runtime.get_available_providers()
        if provider not in present:
            raise EngineError('device {!r} needs {}, but this onnxruntime offers {}; install '
                              'onnxruntime-gpu or use device cpu'.format(
                                  self._options.device, provider, ', '.join(present)))
        try:
            session = self._runtime.InferenceSession(
                path, self._session_options(), providers=self._providers(provider))
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError('onnxruntime cannot load {}: {}'.format(path, error))
        # A provider whose library fails to load is dropped with a log line only.
        if session.get_providers()[0] != provider:
            raise EngineError('onnxruntime fell back from {} to {}; check the CUDA and TensorRT '
                              'libraries'.format(provider, session.get_providers()[0]))
        return session

    def _providers(self, provider):
        if provider == _PROVIDERS['cpu']:
            return [provider]
        return [(provider, self._provider_options()), _PROVIDERS['cpu']]

    def _provider_options(self):
        """Options that releases since 1.10 know; a GPU provider refuses unknown ones."""
        if self._options.device == 'cuda':
            # The default tries every convolution at each start: seconds to minutes on a Jetson.
            return {'cudnn_conv_algo_search': 'HEURISTIC'}
        # Its own cache knows neither model nor version (onnxruntime.ai, TensorRT provider), so
        # the folder does.
        folder = os.path.join(os.path.dirname(default_folder()), 'onnxruntime', file_name(
            '{}-{}-{}'.format(sha256(self._path)[:20], self._runtime.__version__,
                              self._precision)))
        options = {'trt_fp16_enable': self._precision == 'f16'}
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            _LOG.warning('TensorRT engines of onnxruntime cannot be kept in %s (%s): they are '
                         'built at each start', folder, error.strerror)
            return options
        return dict(options, trt_engine_cache_enable=True, trt_engine_cache_path=folder)

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
