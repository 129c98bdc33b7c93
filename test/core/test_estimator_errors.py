# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PoseEstimator: invalid inputs are errors with a reason, and the next image works."""
import models
import numpy as np
import pytest

from pose_ros.core import CardError, EngineError, ImageError, ModelError, PoseEstimator
from pose_ros.core import bundled

DECODER = models.card_data()['decoder']


def test_nan_from_the_network(make_model, backend):
    estimator = PoseEstimator(make_model(nan=True), backend)
    assert estimator(models.image()).count == 2
    with pytest.raises(EngineError, match="output 'output' of tiny holds NaN or infinite.*fp32"):
        estimator(models.image(green=255))
    assert estimator(models.image()).count == 2  # the next image is served


def test_infinity_from_the_network(make_model, backend):
    maps = models.draw_maps(models.tiny_people())
    maps[40, 3, 3] = np.inf
    estimator = PoseEstimator(make_model(maps=maps), backend)
    with pytest.raises(EngineError, match='NaN or infinite'):
        estimator(models.image())


@pytest.mark.parametrize('image', [
    None, np.zeros((128, 160), np.uint8), np.zeros((128, 160, 4), np.uint8),
    np.zeros((0, 0, 3), np.uint8), np.zeros((128, 160, 3), np.float32)])
def test_invalid_images(tiny_model, backend, image):
    estimator = PoseEstimator(tiny_model, backend)
    with pytest.raises(ImageError):
        estimator(image)
    assert estimator(models.image()).count == 2


@pytest.mark.parametrize('size', [(0, 128), (-160, 128), (160.5, 128), (160,), 'ab'])
def test_invalid_input_sizes(make_model, size):
    with pytest.raises(CardError, match='input size'):
        PoseEstimator(make_model(dynamic=True), input_size=size)


@pytest.mark.parametrize('change, word', [
    ({'decoder': dict(DECODER, type='magic')}, "unknown decoder type 'magic'"),
    ({'decoder': dict(DECODER, settings={'peak_threshold': 3.0})},
     'peak_threshold must be within'),
    ({'selection': {'min_score': 3.0}}, 'selection: .*min_score must be within'),
    ({'task': 'detection', 'topology': None}, "for the task 'pose', not 'detection'"),
    ({'topology': 'coco_17'}, r"'channels' must be one channel per keypoint \(17\)")])
def test_card_of_an_unknown_decoder(make_model, change, word):
    with pytest.raises(CardError, match=word):
        PoseEstimator(make_model(card=models.card_data(**change)))


@pytest.mark.parametrize('path, value, word', [
    (('heatmaps', 'tensor'), 'heat', "no output 'heat'; the network yields output"),
    (('stride',), 4, r'more than 18 x 32 x 40 per image \(stride 4\).* yields 57 x 16 x 20'),
    (('pafs', 'limbs'), [[0, 1, 56]], 'more than 57 x 16 x 20'),
    (('heatmaps', 'channels'), list(range(57, 75)), 'more than 74 x 16 x 20')])
def test_card_that_contradicts_the_network(make_model, backend, path, value, word):
    data = models.card_data()
    place = data['decoder']['outputs']
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(CardError, match=word):
        PoseEstimator(make_model(card=data), backend)


def test_card_of_another_size(make_model, backend):
    data = models.card_data()
    data['input']['width'] = 320
    with pytest.raises(ModelError, match='images of 3x128x160.*3x128x320'):
        PoseEstimator(make_model(card=data), backend)


def test_network_with_another_number_of_channels(make_model, backend):
    with pytest.raises(ModelError, match='images of 1x128x160'):
        PoseEstimator(make_model(input_channels=1), backend)


def test_missing_model(tmp_path):
    with pytest.raises(ModelError, match='nowhere.onnx'):
        PoseEstimator(str(tmp_path / 'nowhere.onnx'))


def test_model_without_card(make_model):
    with pytest.raises(CardError, match='no model card'):
        PoseEstimator(make_model(card=None))
    assert PoseEstimator(make_model(card=None), card=models.card_data())(models.image()).count == 2


def test_without_a_bundled_model(monkeypatch, tmp_path):
    monkeypatch.setattr(bundled, 'MODELS_FOLDER', str(tmp_path))
    for arguments in ((), ('bottom_up',)):
        with pytest.raises(ModelError, match='the bundled model .* is missing from this install'):
            PoseEstimator(*arguments)
