# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX to a TensorRT plan, for TensorRT 8.2 to 11.4 and TensorRT for RTX 1.7.

hasattr shows what a version has. Enums are used by name, because their numbers change
(BuilderFlag is renumbered in 11). Sources in brackets are files of NVIDIA/TensorRT at a tag, or
pages of docs.nvidia.com/deeplearning/tensorrt-rtx. Only TensorRT for RTX has ComputeCapability.
"""
from typing import NamedTuple, Optional, Tuple

from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.cuda import Cuda
from pose_ros.core.engines.engine import batch_shape, shape_text
from pose_ros.core.engines.tensorrt_library import Library
from pose_ros.core.errors import EngineError, ModelError

PRECISIONS = ('auto', 'fp32', 'fp16', 'int8')  # auto: that of the file, fp16 where the GPU gains
_MIB = 1 << 20
_LARGEST_WORKSPACE = 1024  # MiB; more helps none of these networks


class BuildSettings(NamedTuple):
    """How to build.

    shape: network input (N, 3, h, w); a static N of the file replaces N. workspace: limit of GPU
    memory in MiB, 0 for a quarter of what is free. architectures: for TensorRT for RTX, the GPUs
    that run the plan, such as ('sm86', 'sm89'); empty: the GPU of this machine.
    """

    shape: Tuple[int, ...]
    precision: str = 'auto'
    workspace: int = 0
    architectures: Tuple[str, ...] = ()


class Plan(NamedTuple):
    """A serialized engine, its precision, and the timing cache of the build."""

    data: bytes
    precision: str
    timings: bytes


def build_plan(library: Library, cuda: Optional[Cuda], model: bytes, where: str,
               settings: BuildSettings, timings: bytes = b'',
               progress: Optional[BuildProgress] = None) -> Plan:
    """Build a plan from the bytes of an ONNX file, in the thread that holds `cuda`.

    cuda: None if settings.architectures is given, which needs no GPU. timings: those of an earlier
    Plan of this TensorRT and GPU (builds are much faster with them). `where` is the path of the
    file: ModelError if TensorRT cannot read it or its image size is not that of settings.shape,
    EngineError if the precision is impossible or the build fails.
    """
    trt = library.module
    library.logger.errors()  # clear earlier ones
    builder = trt.Builder(library.logger)
    network = builder.create_network(_network_flags(trt))
    parser = _parse(library, network, model, where)
    config = builder.create_builder_config()
    _set_workspace(trt, config, settings.workspace or _default_workspace(cuda))
    precision = _set_precision(library, builder, config, network, settings.precision, where)
    _set_shape(builder, config, network, settings.shape, where)
    _set_architectures(library, config, settings.architectures)
    _set_timings(trt, config, timings)
    if progress is not None:
        progress.watch(trt, config)
    # In all versions, while build_engine is gone since 10.0 [python/src/infer/pyCore.cpp].
    data = builder.build_serialized_network(network, config)
    del parser  # not earlier: it holds the network's weights
    if progress is not None and progress.cancelled:
        raise EngineError('the build of the TensorRT engine of {} was stopped'.format(where))
    if data is None:
        raise EngineError('{} cannot build an engine of {}: {}'.format(
            library, where, library.logger.errors()))
    return Plan(bytes(data), precision, _timings(trt, config))


def sensible_precisions(library: Library, model: bytes, where: str) -> Tuple[str, ...]:
    """Return the precisions of an ONNX file on this GPU; fp16 only if the GPU is faster with it.

    In the thread that holds the GPU. ModelError if TensorRT cannot read the bytes of `where`.
    """
    trt = library.module
    builder = trt.Builder(library.logger)
    network = builder.create_network(_network_flags(trt))
    parser = _parse(library, network, model, where)
    inside = _precision_inside(trt, network)
    del parser  # not earlier: it holds the network's weights
    if not hasattr(trt.BuilderFlag, 'FP16'):
        return (inside,)  # as in _set_precision
    if inside == 'fp32' and builder.platform_has_fast_fp16:
        return ('fp32', 'fp16')
    return (inside,)


def _network_flags(trt):
    # Needed for ONNX up to 8.6, ignored in 10, gone in 11, where bit 0 means STRONGLY_TYPED
    # [python/src/infer/pyCore.cpp of 8.2.1 and v11.1, NetworkDefinitionCreationFlag].
    if hasattr(trt.NetworkDefinitionCreationFlag, 'EXPLICIT_BATCH'):
        return 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)
    return 0


def _parse(library, network, model, where):
    trt = library.module
    parser = trt.OnnxParser(network, library.logger)
    if hasattr(trt, 'OnnxParserFlag'):
        # Optional in 8.6, the default since 10; without it a plugin would be needed
        # [python/docstrings/parsers/pyOnnxDoc.h of v8.6.1, OnnxParserFlag].
        parser.set_flag(trt.OnnxParserFlag.NATIVE_INSTANCENORM)
    # The path is where TensorRT looks for external data, else in the current folder.
    if not parser.parse(model, where):
        errors = [_describe(parser.get_error(index)) for index in range(parser.num_errors)]
        raise ModelError('{} cannot read {}: {}'.format(
            library, where, '; '.join(errors) or library.logger.errors()))
    if network.num_inputs != 1:
        # The parser takes some other files for an empty network.
        raise ModelError('{}: the network must have one input, not {}{}'.format(
            where, network.num_inputs, '' if network.num_inputs else ': is it an ONNX file?'))
    return parser


def _describe(error):
    text = 'node {}'.format(error.node())
    if hasattr(error, 'node_name'):  # since 10.0 [python/src/parsers/pyOnnx.cpp of v10.0.1]
        name = '{} {}'.format(error.node_operator(), error.node_name()).strip()
        text += ' ({})'.format(name) if name else ''
    return '{}: {} [{}, {}:{}, in {}]'.format(
        text, error.desc(), error.code(), error.file(), error.line(), error.func())


def _default_workspace(cuda):
    if cuda is None:
        return _LARGEST_WORKSPACE
    # A quarter of the free memory, because on a Jetson the GPU shares the RAM with all programs.
    return max(64, min(_LARGEST_WORKSPACE, cuda.free_memory() // 4 // _MIB))


def _set_workspace(trt, config, mebibytes):
    # Since 8.4; the attribute is gone since 10.0 [python/src/infer/pyCore.cpp of 8.4.1, v10.0.1].
    if hasattr(config, 'set_memory_pool_limit'):
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, mebibytes * _MIB)
    else:
        config.max_workspace_size = mebibytes * _MIB


def _set_precision(library, builder, config, network, wanted, where):
    """Set the flags for the wanted precision; return the resulting precision."""
    trt = library.module
    inside = _precision_inside(trt, network)
    if not hasattr(trt.BuilderFlag, 'FP16'):
        # 11 and RTX compute in the types of the file, always [include/NvInfer.h of v11.1,
        # kSTRONGLY_TYPED; BuilderFlag has neither FP16 nor INT8].
        if wanted not in ('auto', inside):
            raise _impossible(library, where, wanted, inside,
                              'this version computes in the types of the file: export the model '
                              'in that precision (pose-train export --precision)')
        return inside
    if 'int8' in (inside, wanted):
        return _set_int8(library, builder, config, wanted, inside, where)
    if inside == 'fp16' and wanted == 'fp32':
        raise _impossible(library, where, wanted, inside, 'use the float32 file')
    if 'fp16' in (inside, wanted) or wanted == 'auto' and builder.platform_has_fast_fp16:
        # Half tensors in the file need the flag too [include/NvInfer.h of 8.2.1, BuilderFlag].
        config.set_flag(trt.BuilderFlag.FP16)
        return 'fp16'
    return 'fp32'


def _set_int8(library, builder, config, wanted, inside, where):
    """Quantized layers are those between Q and DQ nodes. No calibrator, because 11 has none."""
    trt = library.module
    if inside != 'int8':
        raise _impossible(library, where, wanted, inside,
                          'int8 needs a file with QuantizeLinear and DequantizeLinear nodes: '
                          'quantize the model, or use fp16')
    if wanted not in ('auto', 'int8'):
        raise _impossible(library, where, wanted, inside,
                          'a quantized file runs in int8: use the float32 file')
    if not builder.platform_has_fast_int8:
        raise _impossible(library, where, 'int8', inside,
                          'this GPU has no fast int8 (a TX2 has none): use fp16')
    config.set_flag(trt.BuilderFlag.INT8)
    if builder.platform_has_fast_fp16:  # for the layers that are not quantized
        config.set_flag(trt.BuilderFlag.FP16)
    return 'int8'


def _impossible(library, where, wanted, inside, advice):
    return EngineError('{} cannot run {} in {}, because the file is {}: {}'.format(
        library, where, wanted, inside, advice))


def _precision_inside(trt, network):
    """Return the precision of a file: int8 with Q nodes, fp16 with half tensors, else fp32.

    Constants do not count: weights may be stored in half precision for an fp32 network.
    """
    found = 'fp32'
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.QUANTIZE:
            return 'int8'
        if layer.type == trt.LayerType.CONSTANT:
            continue
        for number in range(layer.num_outputs):
            tensor = layer.get_output(number)
            if tensor is not None and tensor.dtype == trt.DataType.HALF:
                found = 'fp16'
    return found


def _set_shape(builder, config, network, shape, where):
    """Fix every dynamic axis of the input: static shapes are faster, and CUDA graphs need them."""
    tensor = network.get_input(0)
    found = tuple(None if size < 0 else size for size in tensor.shape)
    shape, _ = batch_shape(found, shape, where)
    if None in found:
        profile = builder.create_optimization_profile()
        profile.set_shape(tensor.name, shape, shape, shape)
        if config.add_optimization_profile(profile) < 0:
            raise EngineError('TensorRT rejects the input shape {} for {}'.format(
                shape_text(shape), where))


def _set_architectures(library, config, architectures):
    """Set the GPUs of a plan of TensorRT for RTX [inference-library/cpu-engines.html]."""
    trt = library.module
    if not hasattr(trt, 'ComputeCapability'):
        return
    names = [name.upper() for name in architectures] or ['CURRENT']
    config.num_compute_capabilities = len(names)
    for index, name in enumerate(names):
        if not config.set_compute_capability(getattr(trt.ComputeCapability, name), index):
            raise EngineError('{} rejects the architecture {}: {}'.format(
                library, name.lower(), library.logger.errors()))


def _set_timings(trt, config, timings):
    # On RTX they have no effect, and need a GPU [inference-library/timing-cache-migration.html].
    if hasattr(trt, 'ComputeCapability'):
        return
    cache = config.create_timing_cache(timings)
    # False if they come from another GPU or version; then start with an empty cache.
    if cache is None or not config.set_timing_cache(cache, False):
        config.set_timing_cache(config.create_timing_cache(b''), False)


def _timings(trt, config):
    if hasattr(trt, 'ComputeCapability'):
        return b''
    cache = config.get_timing_cache()
    return bytes(cache.serialize()) if cache is not None else b''
