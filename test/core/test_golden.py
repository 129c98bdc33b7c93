# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Against published weights and their authors' own post-processing, image by image."""
import json
import os

import models
import numpy as np
from paf_exact import ExactPafDecoder
import pytest

from pose_ros.core import PoseEstimator
from pose_ros.core.card import parse_card
from pose_ros.core.card_files import MODELS_FOLDER
from pose_ros.core.decoders import create_decoder
from pose_ros.core.engines import create_engine

STORED = ('p3', 'ski')  # in the repository, without images
NAMES = ('COCO_val2014_000000000192', 'apink1', 'p1', 'p2', 'p3', 'ski')
WIDTH, HEIGHT = 432, 368
# The original reports peak index / (4 * map width): network pixel 2 * index. The center of that
# cell of 2 px is half a pixel further, and this is the position of a keypoint here.
HALF_CELL = 0.5


class Golden:
    """One image: the network's output maps, its exact input if stored, and the people in it."""

    def __init__(self, folder, name):
        with np.load(str(folder / (name + '.npz'))) as data:
            maps = data['output'].astype(np.float32)
            self.image = data['resized_bgr'] if 'resized_bgr' in data else None
        self.outputs = {'output': np.ascontiguousarray(maps.transpose(2, 0, 1))}
        with open(str(folder / (name + '.json'))) as stream:
            humans = json.load(stream)['humans']
        self.people = np.full((len(humans), 18, 3), np.nan)
        for person, human in zip(self.people, humans):
            for part, found in human['parts'].items():
                person[int(part)] = found['x'] * WIDTH, found['y'] * HEIGHT, found['score']
        self.scores = np.array([human['score'] for human in humans])


@pytest.fixture(scope='module')
def golden(shared):
    return {name: Golden(shared / 'golden', name) for name in NAMES}


@pytest.fixture(scope='module', params=['stored', 'all'])
def decoded(request, stored_golden):
    """The images of the repository, then all; maps and people only."""
    if request.param == 'all':
        return request.getfixturevalue('golden')
    return {name: Golden(stored_golden, name) for name in STORED}


@pytest.fixture(scope='module')
def card():
    path = os.path.join(MODELS_FOLDER, 'mobilenet_v2_small.json')
    with open(path, 'rb') as stream:
        return parse_card(stream.read(), path)


def counterparts(found, people):
    """Pair each golden person with the found one that has the most keypoints within 12 px."""
    distance = np.linalg.norm(found.keypoints[None, :, :, :2] - people[:, None, :, :2], axis=-1)
    near = (distance < 12).sum(-1)
    order = near.argmax(1)
    assert len(set(order.tolist())) == len(people)
    return found.keypoints[order]


@pytest.mark.parametrize('name', NAMES)
def test_exact_decoder_gives_the_same_people(request, stored_golden, card, name):
    if name in STORED:
        expected = Golden(stored_golden, name)
    else:
        expected = request.getfixturevalue('golden')[name]
    found = ExactPafDecoder(card).decode(expected.outputs)
    assert found.count == len(expected.people)
    keypoints = counterparts(found, expected.people)
    assert np.array_equal(np.isnan(keypoints[..., 0]), np.isnan(expected.people[..., 0]))
    assert np.nanmax(np.abs(keypoints[..., :2] - expected.people[..., :2])) < 1e-9
    # Scores were computed from float32 maps; these files keep float16.
    seen = ~np.isnan(expected.people[..., 0])
    assert np.abs(keypoints[seen][:, 2] - np.minimum(expected.people[seen][:, 2], 1)).max() < 1e-3
    assert np.abs(np.sort(found.scores) - np.sort(np.minimum(expected.scores, 1))).max() < 2e-3


def test_fast_decoder_finds_the_same_people(decoded, card):
    decoder, distances = create_decoder(card), []
    for expected in decoded.values():
        found = models.decoded(decoder, expected.outputs)
        assert found.count == len(expected.people)
        keypoints = counterparts(found, expected.people)
        seen = ~np.isnan(expected.people[..., 0])
        offset = keypoints[seen][:, :2] - expected.people[seen][:, :2] - HALF_CELL
        distances.append(np.linalg.norm(offset, axis=-1))
    distances = np.concatenate(distances)
    assert len(distances) > 100
    near = distances < 12  # False for a keypoint that was not found
    assert near.mean() >= 0.98
    assert np.median(distances[near]) < 1.0


def test_fast_decoder_has_no_systematic_shift(decoded, card):
    """Left, right, up and down cancel out to a tenth of a map cell."""
    decoder, offsets = create_decoder(card), []
    for expected in decoded.values():
        keypoints = counterparts(models.decoded(decoder, expected.outputs), expected.people)
        offsets.append((keypoints[..., :2] - expected.people[..., :2] - HALF_CELL).reshape(-1, 2))
    offsets = np.concatenate(offsets)
    assert np.abs(np.nanmedian(offsets, axis=0)).max() < 0.8


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
@pytest.mark.parametrize('name', NAMES)
def test_engines_reproduce_the_maps(golden, real_model, backend, name):
    pytest.importorskip(backend)
    expected = golden[name]
    batch = expected.image.transpose(2, 0, 1)[None].astype(np.float32)
    found = create_engine(real_model, batch.shape, backend).infer(batch)['output'][0]
    assert np.corrcoef(found.ravel(), expected.outputs['output'].ravel())[0, 1] > 0.99999
    assert np.abs(found - expected.outputs['output']).max() < 5e-3


def test_estimator_end_to_end(golden, real_model):
    """From the network-size image to the same people as the decoder alone finds."""
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(real_model, backend='onnxruntime')
    decoder = create_decoder(estimator.card)
    for expected in golden.values():
        found = estimator(expected.image)
        alone = models.decoded(decoder, expected.outputs)
        assert found.count == alone.count == len(expected.people)
        keypoints = counterparts(found, alone.keypoints)
        difference = np.linalg.norm(keypoints[..., :2] - alone.keypoints[..., :2], axis=-1)
        assert np.nanmedian(difference) < 0.05 and np.isnan(difference).mean() < 0.6


def test_estimator_on_the_images(golden, real_model, shared):
    """The files themselves: read, stretched, with people in pixels of the image."""
    cv2 = pytest.importorskip('cv2')
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(real_model, backend='onnxruntime')
    for name, expected in golden.items():
        image = cv2.imread(str(shared / 'golden' / (name + '.jpg')))
        found = estimator(image)
        assert found.count == len(expected.people)
        scale = np.array([image.shape[1] / float(WIDTH), image.shape[0] / float(HEIGHT)])
        people = expected.people.copy()
        people[..., :2] = (people[..., :2] + HALF_CELL + 0.5) * scale - 0.5
        keypoints = counterparts(found, people)
        distance = np.linalg.norm((keypoints[..., :2] - people[..., :2]) / scale, axis=-1)
        seen = ~np.isnan(people[..., 0])
        assert (distance[seen] < 12).mean() > 0.9
        assert np.nanmedian(distance) < 1.5
