# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The trials of `pose-ros doctor --hardware`; each runs in its own process and prints JSON."""
import json
import logging
import math
import sys
import time

import cv2

from pose_ros.cli.bench import measure
from pose_ros.core.agreement import differences, TOLERANCES
from pose_ros.core.bundled import BOTTOM_UP, model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.command import progress_bar
from pose_ros.core.decoders import create_decoder
from pose_ros.core.engines import create_engine
from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.engines.tensorrt import TensorRtEngine
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings, sensible_precisions
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.files import sha256
from pose_ros.core.network import Network
from pose_ros.core.onnx_check import read_onnx
from pose_ros.core.preprocessing import prepare_image
from pose_ros.core.sources import FrameSource
from pose_ros.core.synthetic_image import synthetic_image

_LOG = logging.getLogger('pose_ros')
_FRAMES = 100  # to time


def main(what: str, model: str, argument: str) -> None:
    """Run one of TRIALS on a model file ('' is bottom_up); print one line of JSON.

    `argument` is a precision for tensorrt, a backend for cpu, nothing for the others. The line
    holds `error` if the trial raised a PoseRosError; logs go to stderr.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format='%(message)s')
    _LOG.setLevel(logging.INFO)
    cv2.setNumThreads(1)  # its threads compete with those of the network
    try:
        found = TRIALS[what](model_file(model or BOTTOM_UP), argument)
    except PoseRosError as error:
        found = {'error': str(error)}
    print(json.dumps(found), flush=True)  # a driver may crash at the end of the process


def look_at_gpu(model: str, argument: str) -> dict:
    """Return the fields of DeviceInfo; EngineError without a GPU."""
    thread = CudaThread()
    try:
        return dict(thread.call(lambda cuda: cuda.info)._asdict())
    finally:
        thread.close()


def find_precisions(model: str, argument: str) -> dict:
    """Return the `precisions` to try here; EngineError without TensorRT or GPU."""
    library, content = import_tensorrt(tensorrt_backend()), read_onnx(model)
    thread = CudaThread()
    try:
        return {'precisions': thread.call(
            lambda cuda: sensible_precisions(library, content, model))}
    finally:
        thread.close()


def try_cpu(model: str, backend: str) -> dict:
    """Time a CPU backend."""
    estimator = PoseEstimator(model, backend)
    try:
        return _timed(estimator, model)
    finally:
        estimator.close()


def try_tensorrt(model: str, precision: str) -> dict:
    """Build an engine, compare it with ONNX Runtime, and time it if it agrees.

    Neither the user's engines nor what earlier builds learned is used, and nothing is kept. Has
    `error` and no timings if the engine is wrong; other errors as in build_plan.
    """
    import_tensorrt(tensorrt_backend())  # raises before the slow part
    card = load_card(model)
    batch = prepare_image(synthetic_image(), card.input)
    expected = _expected(model, batch)
    engine, seconds = _build(model, batch.shape, precision)
    try:
        info = engine.describe()
        found = {name: array.copy() for name, array in engine.infer(batch).items()}
        report = {'precision': info.precision, 'build_s': round(seconds, 1),
                  'no_graph': engine.no_graph}
        wrong = create_decoder(card).agrees(expected, found, info.precision)
        if _shapes(found) == _shapes(expected):
            report.update(_compared(expected, found, info.precision))
        if wrong:
            return dict(report, version=info.version,
                        error='it disagrees with ONNX Runtime: {}'.format(wrong))
        return dict(report, **_timed(PoseEstimator.of_network(Network(card, engine)), model))
    finally:
        engine.close()


def _expected(model, batch):
    reference = create_engine(model, batch.shape, 'onnxruntime')
    try:
        return {name: array.copy() for name, array in reference.infer(batch).items()}
    finally:
        reference.close()


def _build(path, shape, precision):
    """Return an engine and the seconds that its build took."""
    library, model = import_tensorrt(tensorrt_backend()), read_onnx(path)
    progress = BuildProgress(lambda text: _LOG.info('still building: %s', text))
    thread = CudaThread()
    try:
        start = time.monotonic()
        with progress:
            plan = thread.call(lambda cuda: build_plan(
                library, cuda, model, path, BuildSettings(shape, precision), progress=progress))
        seconds = time.monotonic() - start
        return TensorRtEngine(thread, library, plan.data, shape, plan.precision, path), seconds
    except BaseException:
        thread.close()
        raise


def _shapes(outputs):
    return {name: array.shape for name, array in outputs.items()}


def _compared(expected, found, precision):
    """Summarize the differences of all outputs; NaN becomes None for JSON."""
    measured = differences(expected, found, precision)
    worst = max((item.largest for item in measured),
                key=lambda value: value if math.isfinite(value) else math.inf)
    return {'largest_difference': worst if math.isfinite(worst) else None,
            'allowed_difference': TOLERANCES[precision],
            'lost_peaks': sum(item.lost_peaks for item in measured),
            'channels': sum(item.channels for item in measured)}


def _timed(estimator, path):
    info, spec = estimator.network.engine.describe(), estimator.card.input
    figures = measure(estimator, _FixedImage(), _FRAMES, progress_bar(_FRAMES, quiet=True))
    return {'version': info.version, 'precision': info.precision,
            'frames': figures['frames'], 'people_per_frame': figures['people_per_frame'],
            'stages_ms': figures['stages_ms'],
            'model': {'name': estimator.card.name, 'sha256': sha256(path),
                      'input': [spec.width, spec.height]}}


class _FixedImage(FrameSource):
    """Yields the synthetic image of the self-check without end."""

    def __init__(self):
        super(_FixedImage, self).__init__()
        self._image = synthetic_image()

    def describe(self):
        """See FrameSource.describe."""
        return 'the synthetic image'

    def _read(self):
        return self._image, 'fixed'


TRIALS = {'gpu': look_at_gpu, 'precisions': find_precisions, 'tensorrt': try_tensorrt,
          'cpu': try_cpu}
