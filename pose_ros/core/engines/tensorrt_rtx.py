# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What only TensorRT for RTX has: target architectures, and kernels that the runtime compiles.

Its builder needs no GPU. Its runtime compiles the kernels of a plan for the GPU that it finds when
an execution context is created ("just in time"). Sources in brackets are pages of
docs.nvidia.com/deeplearning/tensorrt-rtx.
"""
import logging
from typing import Any, Optional, Tuple

from pose_ros.core.engines.engine_cache import Kernels
from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')
_TURING = 'sm75'


def architecture(capability: str) -> str:
    """Return the architecture of a compute capability, such as 'sm86' of '8.6'."""
    return 'sm' + capability.replace('.', '')


def is_supported(capability: str) -> bool:
    """Return whether TensorRT for RTX runs on a compute capability, such as '8.6'.

    7.5, 8.0, 8.6, 8.9, 12.0 and later: neither Jetson boards nor GPUs of data centers from Hopper
    on [inference-library/cpu-engines.html; the enumeration ComputeCapability of 1.7].
    """
    return capability in ('7.5', '8.0', '8.6', '8.9') or int(capability.split('.')[0]) >= 12


def check_gpu(library, info) -> None:
    """Raise EngineError unless TensorRT for RTX runs on the GPU of a DeviceInfo."""
    if not is_supported(info.capability):
        raise EngineError('{} does not run on {}, whose compute capability is {}: it needs 7.5, '
                          '8.0, 8.6, 8.9, or 12.0 and later; use backend tensorrt'.format(
                              library, info.name, info.capability))


def checked_architectures(library, wanted: Tuple[str, ...]) -> Tuple[str, ...]:
    """Return architectures to build for; EngineError names one that the library does not have.

    wanted: such as ('sm86', 'sm89'); empty: all but Turing (sm75), whose support makes a plan
    slower on the others [inference-library/cpu-engines.html].
    """
    trt = library.module
    known = sorted((name.lower() for name in trt.ComputeCapability.__members__
                    if name.startswith('SM')), key=lambda name: int(name[2:]))
    for name in wanted:
        if name not in known:
            raise EngineError('{} has no architecture {}: use {} (sm86 is compute capability '
                              '8.6)'.format(library, name, ', '.join(known)))
    return tuple(wanted) or tuple(name for name in known if name != _TURING)


class JustInTime:
    """An execution context `context`, and the cache of the kernels that it has compiled.

    Inputs have one shape, so all kernels are compiled for it at the start (EAGER), and the library
    records its own CUDA graph [inference-library/work-with-cuda-graphs.html].
    """

    def __init__(self, trt: Any, engine: Any, kernels: Optional[Kernels], where: str):
        """Compile what `kernels` does not have from an earlier start."""
        # Both must outlive the context.
        self._config = runtime_config = engine.create_runtime_config()
        self._cache = runtime_cache = runtime_config.create_runtime_cache()
        self._kernels = kernels
        runtime_config.dynamic_shapes_kernel_specialization_strategy = (
            trt.DynamicShapesKernelSpecializationStrategy.EAGER)
        runtime_config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        stored = kernels.load() if kernels else b''
        if stored and not runtime_cache.deserialize(stored):
            # Of another GPU, driver or version [inference-library/work-with-runtime-cache.html].
            _LOG.info('the kernels of %s are compiled again: the stored ones belong to another '
                      'GPU, driver or version of TensorRT for RTX', where)
        if not runtime_config.set_runtime_cache(runtime_cache):
            _LOG.warning('the kernels of %s cannot be stored: they are compiled at every start',
                         where)
        self.context = engine.create_execution_context(runtime_config)

    def store(self) -> None:
        """Write the kernels for the next start; call it after the first run."""
        if self._kernels:
            self._kernels.store(bytes(self._cache.serialize()))

    def close(self) -> None:
        """Free the context, and then what it uses; nothing else may refer to the context."""
        self.context = None
        self._cache = None
        self._config = None


def rejection(library, runtime, plan: bytes) -> str:
    """Return why TensorRT has rejected a plan, for RTX with words such as UNSUPPORTED_CC."""
    trt, text = library.module, library.logger.errors()
    if not hasattr(trt, 'EngineInvalidityDiagnostics'):
        return text
    _, reasons = runtime.get_engine_validity(plan)
    kinds = trt.EngineInvalidityDiagnostics.__members__
    names = [name for name, bit in sorted(kinds.items()) if int(reasons) & int(bit)]
    return '{} ({})'.format(text, ', '.join(names)) if names else text
