# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline: several frames, callers, estimators; settings and timings by name."""
from concurrent.futures import ThreadPoolExecutor
import threading

import models
import numpy as np
import pytest

from pose_ros.core import ImageError, PoseEstimator, PoseRosError
from pose_ros.core.errors import EngineError
from pose_ros.core.frame import Frame
from pose_ros.core.network import open_network
from pose_ros.core.regions import whole

IMAGES = [models.image(width, height, blue) for width, height, blue in
          ((160, 128, 255), (640, 480, 200), (320, 256, 0), (97, 131, 255))]


def same(found, expected):
    return found.count == expected.count and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(found[:5], expected[:5]))


@pytest.mark.parametrize('batch', [1, 3, 4])
def test_a_run_of_frames_is_each_frame_alone(make_model, backend, batch):
    estimator = PoseEstimator(make_model(batch=True), backend, batch=batch)
    assert estimator.network.batch_size == batch
    alone = [estimator(image) for image in IMAGES]
    together = estimator.run([Frame(image) for image in IMAGES])
    assert [people.count for people in together] == [2, 2, 0, 2]
    for found, expected in zip(together, alone):
        assert np.allclose(found.keypoints, expected.keypoints, atol=1e-3, equal_nan=True)
        assert np.allclose(found.scores, expected.scores, atol=1e-5)


def test_no_frames_no_people(tiny_model, backend):
    assert PoseEstimator(tiny_model, backend).run([]) == []


def test_one_invalid_image_stops_the_run_before_any_network(tiny_model, backend):
    estimator = PoseEstimator(tiny_model, backend)
    with pytest.raises(ImageError, match='not float32'):
        estimator.run([Frame(IMAGES[0]), Frame(np.zeros((9, 9, 3), np.float32))])
    assert estimator.timings == {}


def test_two_estimators_of_one_process_answer_as_one(tiny_model, make_model, backend):
    first, second = PoseEstimator(tiny_model, backend), PoseEstimator(make_model(), backend)
    expected = [first(image) for image in IMAGES]
    for _ in range(3):
        for image, people in zip(IMAGES, expected):
            assert same(first(image), people) and same(second(image[:, ::1]), people)


def test_several_threads_get_what_one_gets(tiny_model, backend):
    estimator = PoseEstimator(tiny_model, backend)
    expected = [estimator(image) for image in IMAGES]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda k: (k % 4, estimator(IMAGES[k % 4])), range(80)))
    assert len(answers) == 80 and all(same(people, expected[k]) for k, people in answers)


def in_threads(call, count=60, threads=3):
    """Return [call(0), call(1), ...], by several threads that begin together."""
    start = threading.Barrier(threads)

    def work(first):
        start.wait(60)
        return [call(k) for k in range(first, count, threads)]
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(work, range(threads)))
    return [parts[k % threads][k // threads] for k in range(count)]


def test_estimators_that_share_a_network_get_what_one_gets(make_model, backend):
    network = open_network(make_model(batch=True), backend=backend, batch=2)
    estimators = [PoseEstimator.of_network(network) for _ in range(3)]
    frames = [Frame(image) for image in IMAGES]
    expected = estimators[0].run(frames)
    answers = in_threads(lambda k: estimators[k % 3].run(frames[k % 2:]))
    for k, found in enumerate(answers):
        assert len(found) == 4 - k % 2
        assert all(same(people, truth) for people, truth in zip(found, expected[k % 2:]))


def test_threads_get_the_outputs_of_their_own_regions(make_model, backend):
    network = open_network(make_model(batch=True), backend=backend, batch=2)
    frames = [Frame(models.image(blue=blue)) for blue in range(5, 255, 50)]
    regions = [whole(index, *frame.size) for index, frame in enumerate(frames)]
    expected = [outputs['output'] for outputs, _ in network(frames, regions)]
    assert len({float(maps.max()) for maps in expected}) == 5
    answers = in_threads(lambda k: [
        outputs['output'] for outputs, _ in list(network(frames, regions[k % 5:]))])
    for k, found in enumerate(answers):
        assert len(found) == 5 - k % 5
        assert all(np.array_equal(*pair) for pair in zip(found, expected[k % 5:]))


def test_a_network_that_is_closed_meanwhile_says_so(tiny_model, backend):
    network = open_network(tiny_model, backend=backend)
    frame = Frame(IMAGES[0])
    regions = [whole(0, *frame.size)] * 200
    begun, errors = threading.Event(), []

    def run():
        try:
            for _ in network.find([frame], regions):
                begun.set()
        except EngineError as error:
            errors.append(str(error))
    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    network.close()
    thread.join(60)
    assert not thread.is_alive() and all('is closed' in text for text in errors)


def test_settings_by_owner_or_bare_name(tiny_model):
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(tiny_model, 'onnxruntime')
    assert estimator.settings['pose.peak_threshold'] == 0.05
    estimator.configure(**{'pose.peak_threshold': 0.2, 'min_score': 0.3})
    assert estimator.settings['pose.peak_threshold'] == 0.2
    assert estimator.settings['selection.min_score'] == 0.3
    named = {parameter.name: parameter.default for parameter in estimator.parameters}
    assert named == estimator.settings
    with pytest.raises(PoseRosError, match="no setting 'pose.min_score'; there are: pose.blur"):
        estimator.configure(**{'pose.min_score': 0.1})


def test_settings_change_together_or_not_at_all(tiny_model):
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(tiny_model, 'onnxruntime')
    before = estimator.settings
    with pytest.raises(PoseRosError, match='min_score must be within'):
        estimator.configure(peak_threshold=0.5, min_score=2.0)
    assert estimator.settings == before


def test_timings_sum_up_to_the_run(tiny_model):
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(tiny_model, 'onnxruntime')
    estimator.run([Frame(image) for image in IMAGES])
    assert list(estimator.timings) == ['pose.preprocess', 'pose.network', 'pose.decode',
                                       'bottom_up', 'selection']
    assert min(estimator.timings.values()) > 0
