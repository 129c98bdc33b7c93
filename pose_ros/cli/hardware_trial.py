# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The trials of `pose-ros doctor --hardware`; each runs in its own process and prints JSON."""
import json
import logging
import math
import sys
import time

import cv2
import numpy as np

from pose_ros.core.agreement import differences, TOLERANCES
from pose_ros.core.bundled import model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.engines import create_engine
from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.engines.half_weights import read_for_tensorrt
from pose_ros.core.engines.tensorrt import TensorRtEngine
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings, sensible_precisions
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.errors import PoseRosError
from pose_ros.core.files import sha256
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network, open_network
from pose_ros.core.preprocessing import prepare_image
from pose_ros.core.regions import whole
from pose_ros.core.synthetic_image import synthetic_image

_LOG = logging.getLogger('pose_ros')
_WARM_UP, _BATCHES = 5, 100  # batches that are not counted, and those that are
_BATCH = 4  # images in one run, where the network allows it


def main(what: str, model: str, *arguments: str) -> None:
    """Run one of TRIALS on a model, a file or one of BUNDLED; print one line of JSON.

    The arguments are precision and batch for tensorrt, the backend for cpu. The line holds `error`
    if the trial raised a PoseRosError; logs go to stderr.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format='%(message)s')
    _LOG.setLevel(logging.INFO)
    cv2.setNumThreads(1)  # its threads compete with those of the network
    try:
        found = TRIALS[what](model_file(model), *arguments)
    except PoseRosError as error:
        found = {'error': str(error)}
    print(json.dumps(found), flush=True)  # a driver may crash at the end of the process


def look_at_gpu(model: str) -> dict:
    """Return the fields of DeviceInfo; EngineError without a GPU."""
    thread = CudaThread()
    try:
        return dict(thread.call(lambda cuda: cuda.info)._asdict())
    finally:
        thread.close()


def plan_trials(model: str) -> dict:
    """Return the `precisions` and `batches` to try here; EngineError without TensorRT or GPU."""
    library, content = import_tensorrt(tensorrt_backend()), read_for_tensorrt(model)
    spec = load_card(model).input
    thread = CudaThread()
    try:
        precisions = thread.call(lambda cuda: sensible_precisions(library, content, model))
    finally:
        thread.close()
    reference = create_engine(model, (_BATCH, 3, spec.height, spec.width), 'onnxruntime')
    batches = [reference.batch_size] if reference.fixed_batch else [1, _BATCH]
    reference.close()
    return {'precisions': precisions, 'batches': batches}


def try_cpu(model: str, backend: str) -> dict:
    """Time a CPU backend."""
    network = open_network(model, backend=backend)
    try:
        return _timed(network, model)
    finally:
        network.close()


def try_tensorrt(model: str, precision: str, batch: str = '1') -> dict:
    """Build an engine, compare it with ONNX Runtime, and time it if it agrees.

    Neither the user's engines nor what earlier builds learned is used, and nothing is kept. Has
    `error` and no timings if the engine is wrong; other errors as in build_plan.
    """
    import_tensorrt(tensorrt_backend())  # raises before the slow part
    card = load_card(model)
    images = prepare_image(synthetic_image(), card.input).repeat(int(batch), 0)
    images[1::2] = images[1::2, ..., ::-1].copy()  # so that mixed-up rows differ
    expected = _expected(model, images)
    engine, seconds = _build(model, images.shape, precision)
    try:
        info = engine.describe()
        found = {name: array.copy() for name, array in engine.infer(images).items()}
        report = {'precision': info.precision, 'build_s': round(seconds, 1),
                  'no_graph': engine.no_graph}
        wrong = create_decoder(card).agrees(expected, found, info.precision)
        if _shapes(found) == _shapes(expected) and card.task == 'pose':
            report.update(_compared(expected, found, info.precision))
        if wrong:
            return dict(report, version=info.version,
                        error='it disagrees with ONNX Runtime: {}'.format(wrong))
        return dict(report, **_timed(Network(card, engine), model))
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
    library, model = import_tensorrt(tensorrt_backend()), read_for_tensorrt(path)
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


def _timed(network, path):
    """Time batches of the whole synthetic image, as the pipeline would run them."""
    image = Frame(synthetic_image())
    regions, times = [whole(0, *image.size)] * network.batch_size, []
    for _ in range(_WARM_UP + _BATCHES):
        network.reset_timings()
        start = time.perf_counter()
        for _ in network.find([image], regions):
            pass
        times.append((network.timings['network'], time.perf_counter() - start))
    middle, slow = np.percentile(1e3 * np.array(times[_WARM_UP:]), (50, 95), axis=0)
    info, spec = network.engine.describe(), network.card.input
    return {'version': info.version, 'precision': info.precision, 'batch': network.batch_size,
            'batches': _BATCHES,
            'stages_ms': {name: {'median': round(middle[column], 3), 'p95': round(slow[column], 3)}
                          for column, name in enumerate(('network', 'end_to_end'))},
            'file': {'name': network.card.name, 'sha256': sha256(path),
                     'input': [spec.width, spec.height]}}


TRIALS = {'gpu': look_at_gpu, 'plan': plan_trials, 'tensorrt': try_tensorrt, 'cpu': try_cpu}
