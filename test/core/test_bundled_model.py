# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The models that come with the package: small, documented, and they find people."""
import os
import re

import cv2
import numpy as np
import pytest

from pose_ros.core import PoseEstimator
from pose_ros.core.bundled import BUNDLED, find_models, int8_file, model_file
from pose_ros.core.card_files import load_card

# Of the free image of an astronaut, read off by eye [px]: her right is on the left of the image.
ASTRONAUT = {'nose': (224, 121), 'right_eye': (204, 99), 'left_eye': (247, 101),
             'right_ear': (173, 115), 'left_ear': (276, 117)}
SHOULDERS = {'right_shoulder': (95, 270), 'left_shoulder': (330, 268)}


@pytest.fixture(scope='module', params=['', 'bottom_up'])
def estimator(request):
    """Return the default pair and the bottom-up model, on the engine that is fastest here."""
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(request.param)
    yield estimator
    estimator.close()


def image_of(name):
    """Return a free image, (H, W, 3) uint8 BGR."""
    data = pytest.importorskip('skimage.data')
    image = getattr(data, name)()
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(image[..., ::-1])


@pytest.mark.parametrize('name, decoder, topology', [
    ('pose_crop', 'heatmap', 'coco_17'), ('person_detector', 'boxes', None),
    ('bottom_up', 'paf', 'coco_18')])
def test_each_is_small_and_documented(name, decoder, topology):
    assert name in BUNDLED and os.path.getsize(model_file(name)) <= 6000000
    card = load_card(model_file(name))
    assert (card.license, card.decoder.type) == ('Apache-2.0', decoder)
    assert (card.topology and card.topology.name) == topology
    assert card.input.width % 32 == card.input.height % 32 == 0
    assert {'source', 'teacher', 'crops' if topology else 'images'} <= set(card.provenance)


@pytest.mark.parametrize('name', BUNDLED)
def test_cards_name_no_path_of_the_machine_that_trained(name):
    path = model_file(name)
    for each in filter(None, (path, int8_file(path))):
        assert not re.search(r'"/|"[A-Za-z]:\\\\', load_card(each).to_json()), each


def test_names_stand_for_files():
    pair = find_models()
    assert pair == (model_file('pose_crop'), model_file('person_detector'))
    assert find_models('bottom_up') == (model_file('bottom_up'), None)
    assert find_models('own.onnx') == ('own.onnx', None)
    assert find_models('own.onnx', 'person_detector') == ('own.onnx', pair.detector)
    assert find_models('', 'own.onnx') == (pair.model, 'own.onnx')


def test_every_network_takes_any_batch():
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(backend='onnxruntime', batch=3)
    assert [network.batch_size for network in estimator.networks] == [3, 3]
    assert [network.name for network in estimator.networks] == ['detector', 'pose']


def test_it_finds_a_person_with_left_and_right(estimator):
    people = estimator(image_of('astronaut'))
    assert people.count == 1 and people.scores[0] > .4
    for name, point in ASTRONAUT.items():
        found = people.keypoints[0, estimator.topology.index(name)]
        assert np.hypot(*(found[:2] - point)) < 20, name
    right, left = (people.keypoints[0, estimator.topology.index(side + '_shoulder'), 0]
                   for side in ('right', 'left'))
    assert right < 190 and left > 230


def test_the_default_finds_shoulders_in_a_space_suit():
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator()
    people = estimator(image_of('astronaut'))
    for name, point in SHOULDERS.items():
        found = people.keypoints[0, estimator.topology.index(name)]
        assert np.hypot(*(found[:2] - point)) < 35, (name, found)


def test_a_mirrored_person_is_mirrored(estimator):
    image = image_of('astronaut')
    people = [estimator(np.ascontiguousarray(view)) for view in (image, image[:, ::-1])]
    assert [found.count for found in people] == [1, 1]
    right, left = (estimator.topology.index(side + '_eye') for side in ('right', 'left'))
    first, second = (found.keypoints[0] for found in people)
    assert np.hypot(*(first[right, :2] - ((511, 0) + second[left, :2] * (-1, 1)))) < 20
    assert first[right, 0] < first[left, 0] and second[right, 0] < second[left, 0]


def test_it_finds_a_person_from_the_side_in_gray(estimator):
    people = estimator(image_of('camera'))
    assert people.count == 1
    nose = people.keypoints[0, estimator.topology.index('nose')]
    assert np.hypot(*(nose[:2] - (248, 161))) < 30


@pytest.mark.parametrize('name', ['coffee', 'chelsea', 'brick', 'clock', 'rocket'])
def test_it_finds_no_people_where_there_are_none(estimator, name):
    assert estimator(image_of(name)).count == 0


@pytest.mark.parametrize('precision', ['fp32', 'int8'])
def test_a_hand_near_the_camera_is_not_a_person(shared, precision):
    """The training of the default pair did not use this clip."""
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(precision=precision)
    clip = cv2.VideoCapture(str(shared / 'data' / 'video' / 'tfjs_asl_hand.mp4'))
    frames = [clip.read()[1] for _ in range(325)]
    assert frames[-1] is not None
    assert sum(estimator(frame).count for frame in frames[::10]) <= 1
    estimator.close()


def test_a_black_frame_is_empty(estimator):
    assert estimator(np.zeros((480, 640, 3), np.uint8)).count == 0
