# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Opens the engine files of `pose-ros build-engine`, after a look at their facts."""
import hashlib

from pose_ros.core.card_files import read_engine_facts
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.engine_cache import EngineCache, Kernels, plan_key
from pose_ros.core.engines.tensorrt import PlanError, TensorRtEngine
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_rtx import architecture, check_gpu
from pose_ros.core.errors import EngineError, ModelError
from pose_ros.core.reading import LARGEST_MODEL, read_file


def open_plan_file(path: str, input_shape, options, backend: str) -> TensorRtEngine:
    """Open a `.engine` file.

    EngineError without TensorRT or GPU, and for another precision than that of the file; PlanError
    if it is damaged, or was built for another backend, version or GPU; ModelError if it cannot be
    read.
    """
    facts = read_engine_facts(path)
    built_by = facts.get('backend', backend)
    if built_by != backend:
        raise PlanError('{0} is an engine of backend {1}, not {2}: use backend {1}, or build it '
                        'again with pose-ros build-engine --backend {2}'.format(
                            path, built_by, backend))
    library = import_tensorrt(backend)
    try:
        plan = read_file(path, LARGEST_MODEL)
    except OSError as error:
        raise ModelError('cannot read the engine {}: {}'.format(path, error.strerror or error))
    digest = hashlib.sha256(plan).hexdigest()
    if facts.get('plan_sha256') not in (None, digest):
        raise PlanError('{0} is damaged, or {0}.json belongs to another engine: copy both again, '
                        'or build the engine again with pose-ros build-engine'.format(path))
    thread = CudaThread()
    try:
        info = thread.call(lambda cuda: cuda.info)
        _check_origin(path, facts, library, info)
        precision = facts.get('precision', 'unknown')
        if options.precision not in ('auto', precision):
            raise EngineError('{} was built in {}, not {}: build it again with pose-ros '
                              'build-engine --precision {}'.format(
                                  path, precision, options.precision, options.precision))
        # In the cache of this machine: the folder of the file may be read-only.
        kernels = Kernels(EngineCache(), plan_key(path, {'plan': digest, 'gpu': info.name}))
        return TensorRtEngine(thread, library, plan, input_shape, precision, path,
                              options.zero_copy, kernels)
    except BaseException:
        thread.close()
        raise


def _check_origin(path, facts, library, info):
    here = {'tensorrt': library.version, 'gpu': info.name, 'capability': info.capability}
    other = ['{} {} (here {})'.format(key, facts[key], value) for key, value in here.items()
             if facts.get(key, value) != value]
    if other:
        raise PlanError('{} was built for {}; an engine works only with the TensorRT version and '
                        'GPU that it was built for: run pose-ros build-engine on the ONNX file '
                        'here'.format(path, ', '.join(other)))
    if library.name == 'tensorrt_rtx':
        check_gpu(library, info)
        here, built = architecture(info.capability), facts.get('architectures')
        if isinstance(built, list) and here not in built:
            raise PlanError('{} was built for {} (here {}): run pose-ros build-engine --backend '
                            'tensorrt_rtx --arch {} on the ONNX file'.format(
                                path, ', '.join(map(str, built)), here, here))
