# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The hardware test of `pose-ros doctor`: TensorRT builds, agrees with ONNX Runtime, is timed."""
import platform
import time
from typing import Iterator

import numpy as np

from pose_ros.core.card_files import load_card, sha256
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.engine import EngineOptions
from pose_ros.core.engines.onnxruntime import OnnxRuntimeEngine
from pose_ros.core.engines.self_check import check_picture
from pose_ros.core.engines.tensorrt_build import BuildSettings
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_loader import Loader
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import BUNDLED_MODEL
from pose_ros.core.image import Preprocessor

_WARM_UP, _RUNS = 10, 100
_ROW = '{:<12} {:>9} {:>10} {:>9} {:>11}  {}'


def hardware_report(model: str) -> Iterator[str]:
    """Yield the lines of a report on `model` (an ONNX file; empty: the bundled one).

    Every engine is built anew. Raises PoseRosError that says what is missing or wrong.
    """
    model = model or BUNDLED_MODEL
    spec = load_card(model).input
    shape = (1, 3, spec.height, spec.width)
    sample = np.array(Preprocessor(spec).prepare(check_picture())[0])
    library, thread = import_tensorrt(), CudaThread()
    info = thread.call(lambda cuda: cuda.info)
    thread.close()
    yield 'model        {} (sha256 {})'.format(model, sha256(model)[:16])
    yield 'input        {}x{}'.format(spec.width, spec.height)
    yield 'machine      {}, Python {}'.format(platform.platform(), platform.python_version())
    yield 'gpu          {}, compute capability {}'.format(info.name, info.capability)
    yield 'tensorrt     {}'.format(library.version)
    yield ''
    yield _ROW.format('engine', 'build s', 'median ms', 'p95 ms', 'difference', 'CUDA graph')
    reference = OnnxRuntimeEngine(model, shape, EngineOptions())
    expected = {name: array.copy() for name, array in reference.infer(sample).items()}
    yield _row('onnxruntime', '', _times(reference, sample), 0.0, '')
    reference.close()
    for precision in ('f32', 'auto'):
        yield _measured(model, BuildSettings(shape, precision), sample, expected)


def _measured(model, settings, sample, expected):
    loader = Loader(model, settings, lambda: sample, rebuild=True)
    start = time.perf_counter()
    try:
        built = loader.load()
    except PoseRosError as error:
        raise PoseRosError('{}: {}'.format(settings.precision, error))
    seconds = time.perf_counter() - start
    engine = built.engine
    found = engine.infer(sample)
    difference = max(float(np.abs(found[name] - array).max()) / max(np.abs(array).max(), 1e-6)
                     for name, array in expected.items())
    try:
        return _row('tensorrt ' + built.facts['precision'], '{:.1f}'.format(seconds),
                    _times(engine, sample), difference, 'yes' if engine.uses_graph else 'no')
    finally:
        engine.close()


def _times(engine, sample):
    times = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        engine.infer(sample)
        times.append(time.perf_counter() - start)
    return np.percentile(1e3 * np.array(times[_WARM_UP:]), (50, 95))


def _row(name, build, times, difference, graph):
    return _ROW.format(name, build, '{:.2f}'.format(times[0]), '{:.2f}'.format(times[1]),
                       '{:.3%}'.format(difference), graph).rstrip()
