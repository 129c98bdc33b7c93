# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the faster engine on x86 CPUs (2024.0 and newer)."""
import os
import threading

import numpy as np

from pose_ros.core.engines.engine import (batch_shape, check_batch, check_open, Engine,
                                          EngineInfo)
from pose_ros.core.engines.int8 import cpu_precision
from pose_ros.core.engines.tensor_types import (check_inputs, to_input, to_output,
                                                without_numbers)
from pose_ros.core.errors import EngineError, ModelError


_HINTS = {'fp32': 'f32', 'bf16': 'bf16', 'int8': 'f32'}  # of the layers that are not quantized
_ERRORS = (RuntimeError, UnicodeDecodeError)  # the latter: of a message that is not UTF-8
_CORES = {}  # by process: a fork must not use the threads of its parent
_CORES_LOCK = threading.Lock()


class OpenVinoEngine(Engine):
    """OpenVINO on the CPU, compiled for a fixed image size and least latency.

    A single image always runs in a network of static shape. Batches of a file with a dynamic batch
    share a second one with a batch of 1 to N: one per batch size would not be faster, but need
    more memory.
    """

    def __init__(self, path, input_shape, options):
        """Load and compile; EngineError without the runtime, ModelError for a bad file."""
        self._runtime = _import_runtime()
        if options.device != 'cpu':
            raise EngineError('the openvino backend runs on the cpu only, not on {}; use the '
                              'onnxruntime backend'.format(options.device))
        if options.precision == 'fp16':
            raise EngineError('the openvino backend has no precision fp16; use the tensorrt '
                              'backend, or precision fp32')
        self._options, self._path = options, path
        self._core = _shared_core(self._runtime)
        model = self._read(path)
        self._precision = cpu_precision(path, options.precision, 'openvino')
        self.input_shape = tuple(size.get_length() if size.is_static else None
                                 for size in model.inputs[0].get_partial_shape())
        self._largest, self.fixed_batch = batch_shape(self.input_shape, input_shape, path)
        self.batch_size = self._largest[0]
        types = {output.get_any_name(): output.get_element_type().get_type_name()
                 for output in model.outputs}
        self.left_out = without_numbers(types)
        self._places = [place for place, name in enumerate(types) if name not in self.left_out]
        self.output_names = tuple(name for name in types if name not in self.left_out)
        self._single = self._several = None
        self._open_requests(model)

    def infer(self, batch):
        """See Engine.infer."""
        check_open(self._several, self._path)
        check_batch(batch, self._largest, self.fixed_batch, self._path)
        try:
            return self._run(self._single if len(batch) == 1 else self._several, batch)
        except _ERRORS as error:
            raise EngineError('openvino failed on {}: {}'.format(self._path, error))

    def describe(self):
        """See Engine.describe."""
        version, options = self._runtime.__version__.split('-')[0], self._options
        return EngineInfo('openvino', version, options.device, self._precision,
                          options.threads, self._path)

    def close(self):
        """See Engine.close."""
        self._single = self._several = None

    def _read(self, path):
        try:
            model = self._core.read_model(path)
        except _ERRORS as error:
            raise ModelError('openvino cannot load {}: {}'.format(path, error))
        self.input_type = check_inputs(
            [item.get_element_type().get_type_name() for item in model.inputs], path)
        return model

    def _open_requests(self, model):
        size, rest = self.batch_size, list(self._largest[1:])
        if self.fixed_batch or size == 1:
            self._single = self._several = self._compile(model, [size] + rest)
            return
        self._single = self._compile(model, [1] + rest)
        self._several = self._compile(model, [self._runtime.Dimension(1, size)] + rest)
        # The largest batch first: no later one makes a buffer grow, which would leave the arrays
        # of earlier calls without their memory.
        self.infer(np.zeros(self._largest, np.float32))

    def _compile(self, model, shape):
        """Return an infer request, and whether its outputs must be copied."""
        try:
            model.reshape(shape)
            compiled = self._core.compile_model(model, 'CPU', self._settings())
        except _ERRORS as error:
            raise ModelError('openvino cannot compile {} for {}: {}'.format(
                self._path, self._largest, error))
        # A buffer that grows with what is in the image cannot be shared with the caller.
        grows = any(size.is_dynamic for output in compiled.outputs
                    for size in list(output.get_partial_shape())[1:])
        return compiled.create_infer_request(), grows

    def _run(self, network, batch):
        request, copies = network
        # Always shared: a later call without it would copy into an earlier caller's array.
        request.infer([to_input(batch, self.input_type)], share_inputs=True, share_outputs=True)
        arrays = (request.get_output_tensor(place).data for place in self._places)
        return {name: to_output(array.copy() if copies else array)
                for name, array in zip(self.output_names, arrays)}

    def _settings(self):
        settings = {'PERFORMANCE_HINT': 'LATENCY', 'NUM_STREAMS': '1',
                    # Explicit, because the default is bf16 on CPUs that have it.
                    'INFERENCE_PRECISION_HINT': _HINTS[self._precision]}
        if self._options.threads:
            settings['INFERENCE_NUM_THREADS'] = str(self._options.threads)
        return settings


def _shared_core(runtime):
    """Return the one Core of this process; it is never freed.

    The first use of a Core gives its thread a signal stack. When one Core after another is freed
    in the order in which they were made, the thread is left with a stack that is freed too, and
    the next signal, Ctrl-C for one, ends in a segmentation fault (seen with OpenVINO 2026.4).
    """
    with _CORES_LOCK:
        if os.getpid() not in _CORES:
            _CORES[os.getpid()] = runtime.Core()
        return _CORES[os.getpid()]


def _import_runtime():
    try:
        import openvino
        openvino.Core  # absent from releases before 2023.1
    except Exception as error:  # a wheel for another CPU may raise anything
        raise EngineError(
            'openvino cannot be imported ({}); pip install "openvino>=2024"'.format(error))
    return openvino
