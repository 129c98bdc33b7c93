# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the faster engine on x86 CPUs (2024.0 and newer)."""
from pose_ros.core.engines.engine import (check_input_shape, check_open, Engine,
                                          EngineInfo)
from pose_ros.core.errors import EngineError, ModelError


_HINTS = {'fp32': 'f32', 'bf16': 'bf16'}


class OpenVinoEngine(Engine):
    """One OpenVINO infer request, compiled for a static shape and least latency."""

    def __init__(self, path, input_shape, options):
        """Load and compile; EngineError without the runtime, ModelError for a bad file."""
        self._runtime = _import_runtime()
        if options.device != 'cpu':
            raise EngineError('the openvino backend runs on the cpu here, not on {}; use the '
                              'onnxruntime backend'.format(options.device))
        if options.precision not in ('auto', 'fp32', 'bf16'):
            raise EngineError('the openvino backend has no precision {}; use the tensorrt '
                              'backend, or precision fp32'.format(options.precision))
        self._options, self._path = options, path
        self._precision = 'fp32' if options.precision == 'auto' else options.precision
        compiled = self._compile(path, input_shape)
        self._request = compiled.create_infer_request()
        self.output_names = tuple(output.get_any_name() for output in compiled.outputs)

    def infer(self, batch):
        """See Engine.infer."""
        check_open(self._request, self._path)
        try:
            # Always shared: a later call without it would copy into an earlier caller's array.
            self._request.infer([batch], share_inputs=True, share_outputs=True)
            return {name: self._request.get_output_tensor(index).data
                    for index, name in enumerate(self.output_names)}
        except RuntimeError as error:
            raise EngineError('openvino failed on {}: {}'.format(self._path, error))

    def describe(self):
        """See Engine.describe."""
        version, options = self._runtime.__version__.split('-')[0], self._options
        return EngineInfo('openvino', version, options.device, self._precision,
                          options.threads, self._path)

    def close(self):
        """See Engine.close."""
        self._request = None

    def _compile(self, path, input_shape):
        core = self._runtime.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelError('openvino cannot load {}: {}'.format(path, error))
        if len(model.inputs) != 1:
            raise ModelError('{}: a network with one input is needed, not {}'.format(
                path, len(model.inputs)))
        self.input_shape = tuple(size.get_length() if size.is_static else None
                                 for size in model.inputs[0].get_partial_shape())
        check_input_shape(self.input_shape, input_shape, path)
        try:
            model.reshape(list(input_shape))
            return core.compile_model(model, 'CPU', self._settings())
        except RuntimeError as error:
            raise ModelError('openvino cannot compile {} for {}: {}'.format(
                path, input_shape, error))

    def _settings(self):
        settings = {'PERFORMANCE_HINT': 'LATENCY', 'NUM_STREAMS': '1',
                    # Asked for always: the default is silently bf16 on CPUs that have it.
                    'INFERENCE_PRECISION_HINT': _HINTS[self._precision]}
        if self._options.threads:
            settings['INFERENCE_NUM_THREADS'] = str(self._options.threads)
        return settings


def _import_runtime():
    try:
        import openvino
        openvino.Core  # absent from releases before 2023.1
    except Exception as error:  # a wheel for another CPU may raise anything
        raise EngineError(
            'openvino cannot be imported ({}); pip install "openvino>=2024"'.format(error))
    return openvino
