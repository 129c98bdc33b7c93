# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated TensorRT of one version: its names, its rules, and ONNX Runtime inside."""
import hashlib
import json
import time

import fake_network
import fake_rtx
import fake_runtime
from fake_cuda import _module
from surface import SEVERITIES, Shaped, shaped

ENUMS = ('BuilderFlag', 'NetworkDefinitionCreationFlag', 'DataType', 'TensorIOMode', 'LayerType',
         'MemoryPoolType', 'OnnxParserFlag', 'ComputeCapability', 'CudaGraphStrategy',
         'DynamicShapesKernelSpecializationStrategy', 'EngineInvalidityDiagnostics',
         'EngineValidity')
MAGIC = b'simulated plan '


class Settings:
    """How the simulated TensorRT behaves, for tests to change."""

    build_time = 0.0         # s; less of it ends a build in hand
    build_fails = ''         # the error that the builder logs
    broken_half = False      # fp16 yields NaN
    fast_half = True
    fast_int8 = True
    plugins = False          # whether init_libnvinfer_plugins was called
    graphs = True            # whether a run may be captured
    wrong_peaks = False      # maps are shifted by one cell
    built = 0                # how many plans were built
    compiled = 0             # how often TensorRT for RTX compiled the kernels of a plan


def make_tensorrt(surface, machine):
    """Make the module; `module._settings` changes its behavior."""
    trt = _module(surface.module)
    trt.__version__ = surface.release
    trt._surface, trt._machine, trt._settings = surface, machine, Settings()
    for name in ENUMS:
        if name in surface.classes:
            setattr(trt, name, surface.enum(name))
    trt.ILogger = _make_logger(trt)
    if surface.has('init_libnvinfer_plugins'):
        trt.init_libnvinfer_plugins = lambda logger, namespace: setattr(
            trt._settings, 'plugins', True) or True
    kinds = [Builder, IBuilderConfig, ITimingCache, IHostMemory, IOptimizationProfile,
             IProgressMonitor] + fake_network.CLASSES + fake_runtime.CLASSES + fake_rtx.CLASSES
    trt._kinds = {}
    for kind in kinds:
        made = shaped(surface, kind)
        trt._kinds[kind.__name__] = made
        if made is not None:
            made._trt = trt
    for name in ('Builder', 'OnnxParser', 'Runtime', 'IProgressMonitor'):
        if trt._kinds[name] is not None:
            setattr(trt, name, trt._kinds[name])
    return trt


def _make_logger(trt):
    import enum

    class ILogger:
        Severity = enum.Enum('Severity', SEVERITIES)

        def __init__(self):
            self._initialized = True
    return ILogger


def log(trt, logger, text, severity='ERROR'):
    """Log as TensorRT does."""
    logger.log(getattr(trt.ILogger.Severity, severity), text)


def check_logger(trt, logger):
    """Raise what pybind11 raises for an object that is no logger."""
    if not isinstance(logger, trt.ILogger):
        raise TypeError('incompatible constructor arguments')
    if not getattr(logger, '_initialized', False):
        raise TypeError('tensorrt.ILogger.__init__() must be called when overriding __init__')


class Builder(Shaped):
    """tensorrt.Builder."""

    def __init__(self, logger):
        trt = self._trt
        check_logger(trt, logger)
        if not trt._machine.stack() and not trt._surface.rtx:
            log(trt, logger, 'CUDA initialization failure with error: 201')
            raise TypeError('pybind11::init(): factory function returned nullptr')
        self._logger = logger

    @property
    def platform_has_fast_fp16(self):
        return self._trt._settings.fast_half

    @property
    def platform_has_fast_int8(self):
        return self._trt._settings.fast_int8

    def create_network(self, flags=0):
        return self._trt._kinds['INetworkDefinition'](flags)

    def create_builder_config(self):
        return self._trt._kinds['IBuilderConfig']()

    def create_optimization_profile(self):
        return self._trt._kinds['IOptimizationProfile']()

    def build_serialized_network(self, network, config):
        trt = self._trt
        settings = trt._settings
        if not trt._machine.stack() and not config._targets_others():
            log(trt, self._logger, 'CUDA error 201 (no context is current)')
            return None
        if network._model is None or settings.build_fails or not network._parser_lives():
            log(trt, self._logger, settings.build_fails or 'the network is empty')
            return None
        if network._is_dynamic() and not config._profiles:
            log(trt, self._logger, 'Network has dynamic or shape inputs, but no optimization '
                                   'profile has been defined.')
            return None
        if not _worked(config, settings):
            return None
        settings.built += 1
        cache = config._cache
        if cache is not None:
            cache._content = _timings_head(trt) + b'learnt'
        half = 'FP16' in config._flags or trt._surface.major >= 11 and network._has_half()
        if network._has_half() and not half:
            log(trt, self._logger, 'half tensors need the FP16 flag')
            return None
        return trt._kinds['IHostMemory'](pack(trt, network._model, {
            'half': half, 'int8': 'INT8' in config._flags,
            'shape': config._profiles[0]._shape if config._profiles else None,
            'architectures': config._architectures()}))


def _worked(config, settings, steps=10):
    start = time.monotonic()
    monitor = config.progress_monitor if 'progress_monitor' in config._allowed else None
    if monitor is not None:
        monitor.phase_start('Building', None, steps)
    for step in range(steps):
        while time.monotonic() - start < settings.build_time * (step + 1) / steps:
            time.sleep(0.01)
        if monitor is not None and not monitor.step_complete('Building', step):
            return False
    if monitor is not None:
        monitor.phase_finish('Building')
    return True


def pack(trt, model, facts):
    """Make a plan: readable by this version on this GPU only, or on GPUs of its architectures."""
    facts = dict(facts, version=trt.__version__, gpu=trt._machine.name)
    head = json.dumps(facts, sort_keys=True).encode('utf-8')
    body = len(head).to_bytes(4, 'little') + head + model
    return MAGIC + hashlib.sha256(body).digest() + body


def unpack(trt, plan):
    """Return (model, facts) of a plan; a text that says why not."""
    if not plan.startswith(MAGIC):
        return 'Serialization assertion magicTagRead == kMAGIC_TAG failed.'
    digest, body = plan[len(MAGIC):len(MAGIC) + 32], plan[len(MAGIC) + 32:]
    if hashlib.sha256(body).digest() != digest:
        return 'Deserialization failed: the plan is damaged'
    length = int.from_bytes(body[:4], 'little')
    facts = json.loads(body[4:4 + length].decode('utf-8'))
    if facts['version'] != trt.__version__:
        return 'Version tag does not match: the engine plan file is not compatible'
    if facts['architectures']:
        if fake_rtx.architecture(trt._machine) not in facts['architectures']:
            return 'Platform specific tag mismatch: the engine was built for another GPU'
    elif facts['gpu'] != trt._machine.name:
        return 'the engine was built on another GPU'
    return body[4 + length:], facts


def _timings_head(trt):
    return '{} {} '.format(trt.__version__, trt._machine.name).encode('utf-8')


class IBuilderConfig(fake_rtx.Targets, Shaped):
    """tensorrt.IBuilderConfig."""

    def __init__(self):
        self._flags, self._profiles, self._cache, self._monitor = set(), [], None, None
        self._workspace = None

    def set_flag(self, flag):
        if not isinstance(flag, self._trt.BuilderFlag):
            raise TypeError('set_flag(): incompatible function arguments')
        self._flags.add(flag.name)

    def set_memory_pool_limit(self, pool, pool_size):
        assert pool == self._trt.MemoryPoolType.WORKSPACE and type(pool_size) is int
        self._workspace = pool_size

    @property
    def max_workspace_size(self):
        return self._workspace

    @max_workspace_size.setter
    def max_workspace_size(self, size):
        assert type(size) is int
        self._workspace = size

    @property
    def progress_monitor(self):
        return self._monitor

    @progress_monitor.setter
    def progress_monitor(self, monitor):
        if not isinstance(monitor, self._trt.IProgressMonitor) or not monitor._initialized:
            raise TypeError('not a progress monitor')
        self._monitor = monitor

    def add_optimization_profile(self, profile):
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache):
        assert not self._trt._surface.rtx  # it would need a GPU
        return self._trt._kinds['ITimingCache'](serialized_timing_cache)

    def set_timing_cache(self, cache, ignore_mismatch):
        head = _timings_head(self._trt)
        if cache._content and not cache._content.startswith(head) and not ignore_mismatch:
            return False
        self._cache = cache
        return True

    def get_timing_cache(self):
        return self._cache


class ITimingCache(Shaped):
    """tensorrt.ITimingCache."""

    def __init__(self, content):
        self._content = bytes(content)

    def serialize(self):
        return self._trt._kinds['IHostMemory'](self._content)


class IHostMemory(Shaped):
    """tensorrt.IHostMemory: its buffer is its content."""

    def __init__(self, content):
        self._content = content

    def __bytes__(self):
        return self._content


class IOptimizationProfile(Shaped):
    """tensorrt.IOptimizationProfile."""

    def set_shape(self, input, min, opt, max):  # the real names
        assert min == opt == max and all(type(size) is int for size in opt)
        self._shape = list(opt)


class IProgressMonitor(Shaped):
    """tensorrt.IProgressMonitor: subclasses must call its __init__."""

    _initialized = False

    def __init__(self):
        self._initialized = True
