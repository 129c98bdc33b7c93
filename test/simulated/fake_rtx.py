# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What only TensorRT for RTX has: its runtime compiles kernels, and keeps them in a cache."""
import hashlib

from surface import Shaped

HEAD = b'simulated kernels '


def architecture(machine):
    """The name of a machine's GPU, such as SM86."""
    return 'SM{}{}'.format(*machine.capability)


class Targets:
    """The part of IBuilderConfig that chooses the GPUs of a plan."""

    _targets = ()

    @property
    def num_compute_capabilities(self):
        return len(self._targets)

    @num_compute_capabilities.setter
    def num_compute_capabilities(self, count):
        self._targets = [None] * count

    def set_compute_capability(self, compute_capability, index):
        kinds = self._trt.ComputeCapability
        if not isinstance(compute_capability, kinds):
            raise TypeError('set_compute_capability(): incompatible function arguments')
        fits = index < len(self._targets) and compute_capability != kinds.NONE
        if fits:
            self._targets[index] = compute_capability
        return fits

    def _targets_others(self):
        return self._trt._surface.rtx and self._trt.ComputeCapability.CURRENT not in self._targets

    def _architectures(self):
        """The GPUs of a plan; without any, those that TensorRT for RTX supports by default."""
        if not self._trt._surface.rtx:
            return []
        names = [target.name for target in self._targets] or ['SM80', 'SM86', 'SM89', 'SM120']
        return [architecture(self._trt._machine) if name == 'CURRENT' else name for name in names]


class IRuntimeConfig(Shaped):
    """tensorrt_rtx.IRuntimeConfig."""

    def __init__(self):
        kinds = self._trt
        self._graphs = kinds.CudaGraphStrategy.DISABLED
        self._shapes = kinds.DynamicShapesKernelSpecializationStrategy.LAZY
        self._cache = None

    @property
    def cuda_graph_strategy(self):
        return self._graphs

    @cuda_graph_strategy.setter
    def cuda_graph_strategy(self, strategy):
        if not isinstance(strategy, self._trt.CudaGraphStrategy):
            raise TypeError('incompatible function arguments')
        self._graphs = strategy

    @property
    def dynamic_shapes_kernel_specialization_strategy(self):
        return self._shapes

    @dynamic_shapes_kernel_specialization_strategy.setter
    def dynamic_shapes_kernel_specialization_strategy(self, strategy):
        if not isinstance(strategy, self._trt.DynamicShapesKernelSpecializationStrategy):
            raise TypeError('incompatible function arguments')
        self._shapes = strategy

    def create_runtime_cache(self):
        return self._trt._kinds['IRuntimeCache']()

    def set_runtime_cache(self, cache=None):
        self._cache = cache
        return True


class IRuntimeCache(Shaped):
    """tensorrt_rtx.IRuntimeCache: valid for one GPU, driver and version."""

    def __init__(self):
        self._known = set()

    def _environment(self):
        trt = self._trt
        return '{} {} {}'.format(trt.__version__, trt._machine.name,
                                 trt._machine.driver).encode('utf-8')

    def serialize(self):
        known = b','.join(sorted(self._known))
        return self._trt._kinds['IHostMemory'](HEAD + self._environment() + b'|' + known)

    def deserialize(self, blob):
        if not self._trt._machine.stack():
            raise AssertionError('no context is current')
        head, _, known = bytes(blob).partition(b'|')
        if head != HEAD + self._environment():
            return False
        self._known = set(known.split(b','))
        return True


def compile_kernels(trt, runtime_config, plan):
    """Compile the kernels of a plan that the cache does not have; count it."""
    cache, kernel = runtime_config._cache, hashlib.sha256(plan).hexdigest().encode('ascii')
    if cache is None or kernel not in cache._known:
        trt._settings.compiled += 1
    if cache is not None:
        cache._known.add(kernel)


CLASSES = [IRuntimeConfig, IRuntimeCache]
