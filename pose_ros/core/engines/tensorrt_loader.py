# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a model file to a TensorRT engine that was checked: cache, build, check, try again."""
import logging
from typing import Any, Callable, Dict, NamedTuple, Optional

import numpy as np

from pose_ros.core.card_files import read_engine_facts, sha256
from pose_ros.core.engines.background import BackgroundEngine
from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.engine import Engine, EngineOptions, load_instead
from pose_ros.core.engines.engine_cache import EngineCache, file_name, plan_key
from pose_ros.core.engines.fallback import FallbackEngine
from pose_ros.core.engines.onnxruntime import OnnxRuntimeEngine
from pose_ros.core.engines.self_check import disagreement
from pose_ros.core.engines.tensorrt import PlanError, TensorRtEngine
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings, PRECISIONS
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.errors import EngineError, ModelError

_LOG = logging.getLogger('pose_ros')
_BUILD_LOG = logging.getLogger('pose_ros.build')  # what takes so long, for who waits
PLAN_SUFFIX = '.engine'


class Built(NamedTuple):
    """A checked engine with the plan it runs and the facts about that plan."""

    engine: Engine
    plan: bytes
    facts: Dict[str, Any]


def open_tensorrt(path: str, input_shape, options: EngineOptions) -> Engine:
    """Open a `.engine` file, or the engine of an ONNX file: cached, else built (options.build).

    EngineError without TensorRT or GPU, for a precision that cannot be had, and for an engine that
    differs from ONNX Runtime in every precision; ModelError for a file that TensorRT cannot read.
    Unless options.strict, a CPU engine takes over should the GPU fail later.
    """
    if options.device != 'cpu':
        raise EngineError("device belongs to the onnxruntime backend: leave it 'cpu' with the "
                          'tensorrt backend, which always runs on the GPU')
    if options.precision not in PRECISIONS:
        raise EngineError('tensorrt has no precision {}: use {}'.format(
            options.precision, ', '.join(PRECISIONS)))
    if path.endswith(PLAN_SUFFIX):
        return _open_plan_file(path, input_shape, options)
    engine = _open_onnx_file(path, input_shape, options)
    if options.strict:
        return engine
    return FallbackEngine(engine, lambda error: load_instead(path, input_shape, options, error))


def _open_onnx_file(path, input_shape, options):
    loader = Loader(path, BuildSettings(tuple(input_shape), options.precision,
                                        options.workspace), options.sample, mapped=options.mapped)
    if options.build == 'wait' or loader.is_cached():
        return loader.load().engine
    try:
        serving = OnnxRuntimeEngine(path, input_shape, options._replace(precision='fp32'))
    except (EngineError, ModelError):
        loader.close()
        raise
    return BackgroundEngine(serving, loader)


def _open_plan_file(path, input_shape, options):
    library, facts = import_tensorrt(), read_engine_facts(path)
    with open(path, 'rb') as stream:
        plan = stream.read()
    if facts.get('plan_sha256') not in (None, sha256(path)):
        raise PlanError('{0} is damaged, or {0}.json belongs to another engine: copy both again, '
                        'or build the engine again with pose-ros build-engine'.format(path))
    thread = CudaThread()
    try:
        _check_origin(path, facts, library, thread)
        precision = facts.get('precision', 'unknown')
        if options.precision not in ('auto', precision):
            raise EngineError('{} was built in {}, not {}: build it again with pose-ros '
                              'build-engine --precision {}'.format(
                                  path, precision, options.precision, options.precision))
        return TensorRtEngine(thread, library, plan, input_shape, precision, path, options.mapped)
    except BaseException:
        thread.close()
        raise


def _check_origin(path, facts, library, thread):
    info = thread.call(lambda cuda: cuda.info)
    here = {'tensorrt': library.version, 'gpu': info.name, 'capability': info.capability}
    other = ['{} {} (here {})'.format(key, facts[key], value) for key, value in here.items()
             if facts.get(key, value) != value]
    if other:
        raise PlanError('{} was built for {}; an engine fits only where it was built: run '
                        'pose-ros build-engine on the ONNX file here'.format(
                            path, ', '.join(other)))


class Loader:
    """Loads the engine of one ONNX file; `load` may run in another thread than the constructor.

    `sample()` (N, 3, h, w) float32 is the input on which the engine must give the answer of ONNX
    Runtime; without one, uniform noise of 0 to 255 is.
    """

    def __init__(self, path: str, settings: BuildSettings,
                 sample: Optional[Callable[[], np.ndarray]] = None, rebuild: bool = False,
                 mapped: bool = False):
        """Look for TensorRT and a GPU; EngineError without either, ModelError without the file."""
        self._library, self._rebuild, self._mapped = import_tensorrt(), rebuild, mapped
        self._path, self._settings, self._cache = path, settings, EngineCache()
        self._sample = _noise(settings.shape) if sample is None else np.array(sample())
        self.progress = BuildProgress(lambda text: _BUILD_LOG.info(
            'building the TensorRT engine of %s: %s', path, text))
        try:
            with open(path, 'rb') as stream:
                self._model = stream.read()
        except OSError as error:
            raise ModelError('cannot read the model {}: {}'.format(path, error.strerror or error))
        self._digest, self._answer = sha256(path), None
        self._thread = CudaThread()
        self._info = self._thread.call(lambda cuda: cuda.info)

    def is_cached(self) -> bool:
        """Whether `load` need not build, as far as can be seen."""
        for key in map(self._key, self._attempts()):
            if not self._refusal(key):
                return not self._rebuild and self._cache.load(key) is not None
        return True  # that nothing works, `load` says at once

    def load(self) -> Built:
        """Return a checked engine: the wanted precision, else fp32; errors as in open_tensorrt."""
        refusals = []
        try:
            for settings in self._attempts():
                built, refusal = self._attempt(settings)
                if built is not None:
                    self._thread = None  # the engine's now
                    return built
                refusals.append(refusal)
                _LOG.warning('tensorrt: %s', refusal)
        finally:
            self.close()
        raise EngineError('; '.join(refusals))

    def close(self) -> None:
        """Let go of the GPU, unless an engine has it."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def _attempts(self):
        settings = self._settings
        return [settings] + ([settings._replace(precision='fp32')]
                             if settings.precision != 'fp32' else [])

    def _refusal(self, key):
        return '' if self._rebuild else self._cache.refusal(key)

    def _attempt(self, settings):
        """Return (Built, '') if the engine passes the check, (None, why) if it fails it."""
        key = self._key(settings)
        refusal = self._refusal(key)
        if refusal:
            return None, refusal + ' (at an earlier start; pose-ros build-engine --rebuild tries '\
                                   'again)'
        expected = self._expected()
        plan, facts, engine = self._cached_or_built(settings, key)
        try:
            found = engine.infer(self._sample)
        except EngineError as error:
            engine.release()
            return None, str(error)
        difference = disagreement(expected, found, facts['precision'])
        if not difference:
            return Built(engine, plan, facts), ''
        engine.release()
        refusal = 'the {} engine of {} disagrees with ONNX Runtime: {}'.format(
            facts['precision'], self._path, difference)
        self._cache.refuse(key, refusal)
        return None, refusal

    def _cached_or_built(self, settings, key):
        found = None if self._rebuild else self._cache.load(key)
        if found is not None:
            try:
                return found + (self._open(*found),)
            except PlanError as error:
                _LOG.warning('the cached engine is built again: %s', error)
        self._cache.remove(key)
        plan, facts = self._build(settings)
        engine = self._open(plan, facts)
        self._cache.store(key, plan, facts)
        return plan, facts, engine

    def _build(self, settings):
        facts = self._facts(settings)
        timings = file_name('{tensorrt}-{gpu}-{capability}'.format(**facts))
        _BUILD_LOG.info('building the TensorRT engine of %s for %s, precision %s: once, minutes '
                        'on a Jetson', self._path, facts['gpu'], settings.precision)
        with self.progress:
            plan = self._thread.call(
                lambda cuda: build_plan(self._library, cuda, self._model, self._path, settings,
                                        self._cache.load_timings(timings), self.progress))
        self._cache.store_timings(timings, plan.timings)
        return plan.data, dict(facts, precision=plan.precision)

    def _open(self, plan, facts):
        return TensorRtEngine(self._thread, self._library, plan, self._settings.shape,
                              facts['precision'], self._path, self._mapped)

    def _expected(self):
        if self._answer is None:
            reference = OnnxRuntimeEngine(self._path, self._settings.shape, EngineOptions())
            try:
                self._answer = {name: array.copy()
                                for name, array in reference.infer(self._sample).items()}
            finally:
                reference.close()
        return self._answer

    def _key(self, settings):
        facts = self._facts(settings)
        del facts['model']  # the same file elsewhere is the same model
        return plan_key(self._path, facts)

    def _facts(self, settings):
        return {'model': self._path, 'model_sha256': self._digest,
                'tensorrt': self._library.version, 'gpu': self._info.name,
                'capability': self._info.capability, 'shape': list(settings.shape),
                'asked': settings.precision, 'workspace': settings.workspace}


def _noise(shape):
    return np.float32(np.random.RandomState(0).uniform(0, 255, shape))
