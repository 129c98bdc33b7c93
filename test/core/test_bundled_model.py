# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled model: small, documented, and it finds people."""
import os

import numpy as np
import pytest

from pose_ros.core import PoseEstimator
from pose_ros.core.card_files import load_card
from pose_ros.core.network import BUNDLED_MODEL

# Places [px] in the public-domain image of an astronaut, by eye: her right is on the left.
ASTRONAUT = {'nose': (224, 121), 'right_eye': (204, 99), 'left_eye': (247, 101),
             'right_ear': (173, 115), 'left_ear': (276, 117)}


@pytest.fixture(scope='module')
def estimator():
    """Return the bundled model on the engine that is fastest here."""
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator()
    yield estimator
    estimator.close()


def load_image(name):
    """Return a public-domain image, (H, W, 3) uint8 BGR."""
    data = pytest.importorskip('skimage.data')
    image = getattr(data, name)()
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(image[..., ::-1])


def test_size_and_provenance():
    assert os.path.getsize(BUNDLED_MODEL) <= 6000000
    card = load_card(BUNDLED_MODEL)
    assert (card.license, card.decoder.type) == ('Apache-2.0', 'paf')
    assert card.topology.name == 'coco_18'
    assert card.input.width % 32 == card.input.height % 32 == 0
    facts = card.provenance
    assert {'trained_on', 'teacher', 'recipe', 'measured'} <= set(facts)
    assert {'protocol', 'coco_dev', 'fashion_dev', 'lspet_dev', 'pfg_dev'} <= set(
        facts['measured'])


def test_keypoints_of_a_person_with_left_and_right(estimator):
    people = estimator(load_image('astronaut'))
    assert people.count == 1 and people.scores[0] > .4
    for name, point in ASTRONAUT.items():
        found = people.keypoints[0, estimator.topology.index(name)]
        assert np.hypot(*(found[:2] - point)) < 20, name
    right, left = (people.keypoints[0, estimator.topology.index(side + '_shoulder'), 0]
                   for side in ('right', 'left'))
    assert right < 190 and left > 230


def test_a_mirrored_person_is_mirrored(estimator):
    image = load_image('astronaut')
    people = [estimator(np.ascontiguousarray(view)) for view in (image, image[:, ::-1])]
    assert [found.count for found in people] == [1, 1]
    right, left = (estimator.topology.index(side + '_eye') for side in ('right', 'left'))
    first, second = (found.keypoints[0] for found in people)
    assert np.hypot(*(first[right, :2] - ((511, 0) + second[left, :2] * (-1, 1)))) < 20
    assert first[right, 0] < first[left, 0] and second[right, 0] < second[left, 0]


def test_a_person_from_the_side_in_gray(estimator):
    people = estimator(load_image('camera'))
    assert people.count == 1
    nose = people.keypoints[0, estimator.topology.index('nose')]
    assert np.hypot(*(nose[:2] - (248, 161))) < 30


@pytest.mark.parametrize('name', ['coffee', 'chelsea', 'brick', 'clock', 'rocket'])
def test_images_without_people_have_none(estimator, name):
    assert estimator(load_image(name)).count == 0


def test_a_black_frame_is_empty(estimator):
    assert estimator(np.zeros((480, 640, 3), np.uint8)).count == 0
