# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The backends, and the options of an engine."""
import types

from pose_ros.core.errors import EngineError, PoseRosError
from pose_ros.core.parameters import checked_values, Parameter

# Name -> (module, class or function); the order is the order in which 'auto' tries them.
# tensorrt_rtx is TensorRT for RTX, and shares all options of tensorrt.
BACKENDS = {
    'tensorrt': ('pose_ros.core.engines.tensorrt_loader', 'open_tensorrt'),
    'tensorrt_rtx': ('pose_ros.core.engines.tensorrt_loader', 'open_tensorrt_rtx'),
    'openvino': ('pose_ros.core.engines.openvino', 'OpenVinoEngine'),
    'onnxruntime': ('pose_ros.core.engines.onnxruntime', 'OnnxRuntimeEngine'),
}

# Model parameters, ROS parameters and command-line options are all made from this table.
ENGINE_PARAMETERS = (
    Parameter('backend', 'auto', 'Inference engine; auto takes the fastest that works here',
              choices=('auto',) + tuple(sorted(BACKENDS))),
    Parameter('device', 'cpu', 'Device of the onnxruntime backend; cuda needs onnxruntime-gpu',
              choices=('cpu', 'cuda')),
    Parameter('threads', 0, 'CPU threads of the network; 0 lets the engine choose', 0, 256),
    Parameter('precision', 'auto',
              'Arithmetic of the network; auto is int8 on a CPU with fast int8 if the model has '
              'an int8 file (the default pair does), else fp32, and fp16 on TensorRT where its '
              'outputs agree with fp32; int8 needs an int8 file, fp16 tensorrt or tensorrt_rtx, '
              'bf16 openvino',
              choices=('auto', 'fp32', 'fp16', 'int8', 'bf16')),
    Parameter('allow_spinning', False,
              'Let idle onnxruntime threads busy-wait: the network is faster, but other nodes get '
              'less CPU time'),
    Parameter('tensorrt_build', 'wait',
              'While TensorRT builds its engine (once per model and machine): wait, or run '
              'onnxruntime and build in the background', choices=('wait', 'background')),
    Parameter('workspace', 0,
              'GPU memory limit of a TensorRT build; 0 takes a quarter of the free memory, at '
              'most 1024', 0, 65536, unit='MiB'),
    Parameter('cuda_graph', False,
              'Run the network as one CUDA graph with onnxruntime on cuda; needs a model with a '
              'fixed image size. The tensorrt backends use CUDA graphs without this option'),
    Parameter('zero_copy', False,
              'Zero-copy input and output on GPUs that share memory with the CPU (Jetson); '
              'tensorrt backend only'),
    Parameter('require_tensorrt', False,
              'Fail if the tensorrt or tensorrt_rtx backend is unavailable instead of falling '
              'back to the CPU'),
)

PLAN_SUFFIX = '.engine'


def is_plan(path: str) -> bool:
    """Return whether a file is a TensorRT engine, by its name."""
    return path.lower().endswith(PLAN_SUFFIX)


class EngineOptions(types.SimpleNamespace):
    """How an engine runs: ENGINE_PARAMETERS without `backend`, and how a new engine is checked.

    int8_file: a file of the same network in int8, which runs in place of the model's file where
    that is faster and the precision allows it; '' if there is none.
    sample() returns a typical input (N, 3, h, w) float32; None: uniform noise of 0 to 255.
    agrees(expected, found, precision) compares an engine's outputs (by name, with the batch axis)
    with those of ONNX Runtime and returns '' or the difference as text; None: `disagreement` of
    pose_ros.core.agreement, which is made for maps.
    """

    def __init__(self, **values):
        """Take fields by name; the others have the defaults of the table."""
        fields = {item.name: item.default for item in ENGINE_PARAMETERS if item.name != 'backend'}
        fields.update(sample=None, agrees=None, int8_file='')
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise TypeError('EngineOptions has no field {}'.format(', '.join(unknown)))
        super(EngineOptions, self).__init__(**dict(fields, **values))

    def replaced(self, **changes) -> 'EngineOptions':
        """Return a copy with other values of some fields."""
        return EngineOptions(**dict(vars(self), **changes))


def make_options(backend: str, options: dict, **found) -> EngineOptions:
    """Check options by name; EngineError names one that is unknown or invalid.

    found: the fields of EngineOptions that are no options.
    """
    try:
        values = checked_values(
            ENGINE_PARAMETERS, dict(options, backend=backend), 'engine options')
    except PoseRosError as error:
        raise EngineError(str(error))
    del values['backend']
    return EngineOptions(**dict(values, **found))
