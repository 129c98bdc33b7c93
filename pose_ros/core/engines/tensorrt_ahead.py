# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Plans of TensorRT for RTX for the GPUs of other machines; neither GPU nor driver is needed."""
import logging
from typing import Any, Dict, Tuple

from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.onnxruntime import OnnxRuntimeEngine
from pose_ros.core.engines.options import EngineOptions
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_rtx import checked_architectures
from pose_ros.core.onnx_check import model_digest, read_onnx

_BUILD_LOG = logging.getLogger('pose_ros.build')  # progress, which programs may show


def build_ahead(path: str, settings: BuildSettings) -> Tuple[bytes, Dict[str, Any]]:
    """Return the plan of an ONNX file for settings.architectures, and facts as those of a Loader.

    It cannot run here, so it is not compared with ONNX Runtime. Without architectures all but
    sm75. EngineError without tensorrt_rtx or if the build fails, ModelError for the file.
    """
    library = import_tensorrt('tensorrt_rtx')
    settings = settings._replace(
        shape=_shape(path, settings.shape),
        architectures=checked_architectures(library, settings.architectures))
    model = read_onnx(path)
    _BUILD_LOG.info('building the TensorRT engine of %s for %s, precision %s', path,
                    ', '.join(settings.architectures), settings.precision)
    progress = BuildProgress(lambda text: _BUILD_LOG.info(
        'building the TensorRT engine of %s: %s', path, text))
    with progress:
        plan = build_plan(library, None, model, path, settings, progress=progress)
    return plan.data, {
        'model': path, 'model_sha256': model_digest(path), 'backend': library.name,
        'tensorrt': library.version, 'architectures': list(settings.architectures),
        'shape': list(settings.shape), 'requested': settings.precision,
        'workspace': settings.workspace, 'precision': plan.precision}


def _shape(path, shape):
    """Return the batch (N, 3, h, w) with the N of the file; ModelError if it cannot run."""
    reference = OnnxRuntimeEngine(path, shape, EngineOptions())
    try:
        return (reference.batch_size,) + tuple(shape[1:])
    finally:
        reference.close()
