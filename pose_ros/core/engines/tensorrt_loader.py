# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a model file to a checked TensorRT engine: cache, build, check, fp32 if fp16 fails."""
import logging
from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.agreement import disagreement
from pose_ros.core.engines.background import BackgroundEngine
from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.engine import Engine
from pose_ros.core.engines.engine_cache import EngineCache, file_name, Kernels, plan_key
from pose_ros.core.engines.factory import load_cpu_fallback
from pose_ros.core.engines.fallback import FallbackEngine
from pose_ros.core.engines.half_weights import read_for_tensorrt
from pose_ros.core.engines.onnxruntime import OnnxRuntimeEngine
from pose_ros.core.engines.options import EngineOptions, is_plan
from pose_ros.core.engines.tensorrt import PlanError, TensorRtEngine
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings, PRECISIONS
from pose_ros.core.engines.tensorrt_file import open_plan_file
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_rtx import check_gpu
from pose_ros.core.errors import EngineError, ModelError
from pose_ros.core.onnx_check import model_digest

_LOG = logging.getLogger('pose_ros')
_BUILD_LOG = logging.getLogger('pose_ros.build')  # progress, which programs may show


class Built(NamedTuple):
    """A checked engine, its plan, and the facts about that plan."""

    engine: Engine
    plan: bytes
    facts: Dict[str, Any]


def open_tensorrt(path: str, input_shape, options: EngineOptions,
                  backend: str = 'tensorrt') -> Engine:
    """Open a `.engine` file, or the engine of an ONNX file, which is built if it is not cached.

    EngineError without TensorRT or GPU, for an impossible precision, and for an engine that
    disagrees with ONNX Runtime in every precision; ModelError for a file that TensorRT cannot
    read. If the GPU fails later, a CPU engine is loaded, unless options.require_tensorrt is set.
    """
    if options.device != 'cpu':
        raise EngineError("device is an option of the onnxruntime backend: leave it 'cpu' with "
                          'the {} backend, which always runs on the GPU'.format(backend))
    if options.precision not in PRECISIONS:
        raise EngineError('{} has no precision {}: use {}'.format(
            backend, options.precision, ', '.join(PRECISIONS)))
    if is_plan(path):
        return open_plan_file(path, input_shape, options, backend)
    engine = _open_onnx_file(path, input_shape, options, backend)
    if options.require_tensorrt:
        return engine
    return FallbackEngine(
        engine, lambda error: load_cpu_fallback(path, input_shape, options, backend, error))


def open_tensorrt_rtx(path: str, input_shape, options: EngineOptions) -> Engine:
    """Open a model with TensorRT for RTX, as open_tensorrt does with TensorRT."""
    return open_tensorrt(path, input_shape, options, 'tensorrt_rtx')


def _open_onnx_file(path, input_shape, options, backend):
    settings = BuildSettings(tuple(input_shape), options.precision, options.workspace)
    loader = Loader(path, settings, options, backend=backend)
    if options.tensorrt_build == 'wait' or loader.is_cached():
        return loader.load().engine
    try:
        first = OnnxRuntimeEngine(path, input_shape, options.replaced(precision='auto'))
    except (EngineError, ModelError):
        loader.close()
        raise
    return BackgroundEngine(first, loader)


class Loader:
    """Loads the engine of one ONNX file; `load` may run in another thread than the constructor.

    The outputs of the engine for one batch must agree with those of ONNX Runtime: `sample` and
    `agrees` of EngineOptions.
    """

    def __init__(self, path: str, settings: BuildSettings,
                 options: EngineOptions = EngineOptions(), rebuild: bool = False,
                 backend: str = 'tensorrt'):
        """Run ONNX Runtime, and look for TensorRT and a GPU.

        Of the options count sample, agrees and zero_copy. backend: tensorrt or tensorrt_rtx.
        EngineError without it or without a GPU that it runs on, ModelError for a file that is
        missing or has another image size.
        """
        self._library, self._path, self._cache = import_tensorrt(backend), path, EngineCache()
        self.backend = backend
        self._rebuild, self._zero_copy = rebuild, options.zero_copy
        self._agrees = options.agrees or disagreement
        self.progress = BuildProgress(lambda text: _BUILD_LOG.info(
            'building the TensorRT engine of %s: %s', path, text))
        self._model = read_for_tensorrt(path)
        self._digest = model_digest(path)
        self._batch, self._expected = _reference(path, settings.shape, options.sample)
        # With the batch of the file, so that the same plan has one key.
        self._settings = settings._replace(shape=self._batch.shape)
        self._thread: Optional[CudaThread] = CudaThread()
        self._info = self._thread.call(lambda cuda: cuda.info)
        if backend == 'tensorrt_rtx':
            try:
                check_gpu(self._library, self._info)
            except EngineError:
                self.close()
                raise

    def is_cached(self) -> bool:
        """Return whether `load` probably needs no build."""
        for key in map(self._key, self._attempts()):
            if not self._rejection(key):
                return not self._rebuild and self._cache.load(key) is not None
        return True  # every precision was rejected: `load` fails at once

    def load(self) -> Built:
        """Return a checked engine: the wanted precision, else fp32; errors as in open_tensorrt."""
        rejections = []
        try:
            for settings in self._attempts():
                built, rejection = self._attempt(settings)
                if built is not None:
                    self._thread = None  # the engine owns it now
                    return built
                rejections.append(rejection)
                _LOG.warning('%s: %s', self.backend, rejection)
        finally:
            self.close()
        raise EngineError('; '.join(rejections))

    def close(self) -> None:
        """Close the GPU, unless an engine owns it."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def _attempts(self):
        settings = self._settings
        return [settings] + ([settings._replace(precision='fp32')]
                             if settings.precision != 'fp32' else [])

    def _rejection(self, key):
        return '' if self._rebuild else self._cache.rejection(key)

    def _attempt(self, settings):
        """Return (Built, '') if the engine passes the check, (None, reason) if it fails."""
        key = self._key(settings)
        rejection = self._rejection(key)
        if rejection:
            return None, rejection + ' (at an earlier start; pose-ros build-engine --rebuild '\
                                     'tries again)'
        plan, facts, engine = self._cached_or_built(settings, key)
        try:
            found = engine.infer(self._batch)
        except EngineError as error:
            engine.release()
            return None, str(error)
        difference = self._agrees(self._expected, found, facts['precision'])
        if not difference:
            return Built(engine, plan, facts), ''
        engine.release()
        rejection = 'the {} engine of {} disagrees with ONNX Runtime: {}'.format(
            facts['precision'], self._path, difference)
        self._cache.mark_rejected(key, rejection)
        return None, rejection

    def _cached_or_built(self, settings, key):
        found = None if self._rebuild else self._cache.load(key)
        if found is not None:
            try:
                return found + (self._open(key, *found),)
            except PlanError as error:
                _LOG.warning('the cached engine is built again: %s', error)
        self._cache.remove(key)
        plan, facts = self._build(settings)
        engine = self._open(key, plan, facts)
        self._cache.store(key, plan, facts)
        return plan, facts, engine

    def _build(self, settings):
        facts = self._facts(settings)
        timings = file_name('{backend}-{tensorrt}-{gpu}-{capability}'.format(**facts))
        _BUILD_LOG.info('building the TensorRT engine of %s for %s, precision %s: once, takes '
                        'minutes on a Jetson', self._path, facts['gpu'], settings.precision)
        with self.progress:
            plan = self._thread.call(
                lambda cuda: build_plan(self._library, cuda, self._model, self._path, settings,
                                        self._cache.load_timings(timings), self.progress))
        self._cache.store_timings(timings, plan.timings)
        return plan.data, dict(facts, precision=plan.precision)

    def _open(self, key, plan, facts):
        return TensorRtEngine(self._thread, self._library, plan, self._settings.shape,
                              facts['precision'], self._path, self._zero_copy,
                              Kernels(self._cache, key))

    def _key(self, settings):
        facts = self._facts(settings)
        del facts['model']  # a copy of the file in another folder is the same model
        return plan_key(self._path, facts)

    def _facts(self, settings):
        return {'model': self._path, 'model_sha256': self._digest, 'backend': self.backend,
                'tensorrt': self._library.version, 'gpu': self._info.name,
                'capability': self._info.capability, 'shape': list(settings.shape),
                'requested': settings.precision, 'workspace': settings.workspace}


def _reference(path, shape, sample) -> Tuple[np.ndarray, Dict[str, np.ndarray]]:
    """Return a batch and the outputs of ONNX Runtime for it."""
    reference = OnnxRuntimeEngine(path, shape, EngineOptions())
    try:
        shape = (reference.batch_size,) + tuple(shape[1:])
        batch = _noise(shape) if sample is None else _repeated(np.asarray(sample()), shape[0])
        return batch, {name: array.copy() for name, array in reference.infer(batch).items()}
    finally:
        reference.close()


def _repeated(sample, count):
    """Fill a batch with images; every second one is mirrored, so that mixed-up ones differ."""
    batch = np.stack([sample[row % len(sample)] for row in range(count)])
    batch[1::2] = batch[1::2, ..., ::-1].copy()
    return batch


def _noise(shape):
    return np.float32(np.random.RandomState(0).uniform(0, 255, shape))
