# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A new family is one file and one line in the registry; everything else finds it there."""
import json
import sys

import numpy as np
import pytest
import toy

from pose_ros.core import CardError, PoseEstimator
from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder, decoder_parameters, DECODERS
from pose_ros.core.frame import Frame
from pose_ros.core.people import people_in_boxes


@pytest.fixture
def toy_model(tmp_path, monkeypatch):
    """Path of the toy network, with its family added."""
    pytest.importorskip('onnx')
    (tmp_path / 'toy_decoder.py').write_text(toy.TOY_DECODER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(DECODERS, 'toy', ('toy_decoder', 'ToyDecoder'))
    yield toy.make_toy_model(tmp_path / 'toy.onnx')
    sys.modules.pop('toy_decoder', None)


def place(box):
    """Where the toy's keypoints lie for a box of the input's aspect, by the half-pixel rule."""
    left, top, width, height = box
    points = (np.array(toy.PLACES) + .5) * (width / float(toy.WIDTH), height / float(toy.HEIGHT))
    return points - .5 + (left, top)


def frame(width, height, gray):
    return Frame(np.full((height, width, 3), gray, np.uint8))


def test_keypoints_of_crops_given_by_boxes(toy_model, backend):
    estimator = PoseEstimator(toy_model, backend, batch=4)
    boxes = [[(100, 50, 96, 128), (300, 200, 48, 64), (10, 300, 24, 32)], [], [(8, 8, 72, 96)]]
    frames = [frame(640, 480, 255), frame(320, 240, 255), frame(120, 160, 128)]
    people = [people_in_boxes(each, estimator.topology, np.full(len(each), 0.9))
              for each in boxes]
    found = estimator.run(frames, people)
    assert [persons.count for persons in found] == [3, 0, 1]
    for persons, each in zip(found, boxes):
        for keypoints, box in zip(persons.keypoints, each):
            assert np.abs(keypoints[:, :2] - place(box)).max() < 1e-3
    assert np.allclose(found[0].scores, 0.9, atol=1e-3)
    assert np.allclose(found[2].scores, 0.9 * 128 / 255, atol=1e-3)
    assert found[0].boxes.tolist() == [list(box) for box in boxes[0]]


def test_without_boxes_the_image_is_the_crop(toy_model):
    people = PoseEstimator(toy_model, 'onnxruntime')(np.full((480, 360, 3), 255, np.uint8))
    assert people.count == 1
    assert np.abs(people.keypoints[0, :, :2] - place((0, 0, 360, 480))).max() < 1e-3


@pytest.mark.parametrize('axis, batch', [('n', 1), ('n', 2), ('n', 8), (1, 8), (2, 1)])
def test_every_batch_gives_the_same_people(toy_model, tmp_path, backend, axis, batch):
    """Dynamic, static of one (a loop), and static of two with a remainder."""
    model = toy.make_toy_model(tmp_path / 'other.onnx', axis)
    estimator = PoseEstimator(model, backend, batch=batch)
    assert estimator.network.batch_size == (batch if axis == 'n' else axis)
    boxes = [(20 * k, 10 * k, 48 + 3 * k, 64 + 4 * k) for k in range(5)]
    people = people_in_boxes(boxes, estimator.topology, np.linspace(.9, .5, 5))
    found = estimator.run([frame(640, 480, 255)], [people])[0]
    assert found.count == 5
    for keypoints, box in zip(found.keypoints, boxes):
        assert np.abs(keypoints[:, :2] - place(box)).max() < 1e-3


def test_settings_of_the_family(toy_model):
    estimator = PoseEstimator(toy_model, 'onnxruntime')
    assert estimator.settings['pose.gain'] == 1.0
    image = np.full((64, 48, 3), 100, np.uint8)
    plain = estimator(image).scores[0]
    estimator.configure(gain=2.0)
    assert estimator(image).scores[0] == pytest.approx(2 * plain, rel=1e-3)
    assert [parameter.name for parameter in decoder_parameters('toy')] == ['gain']


def test_cards_of_the_family(toy_model):
    with pytest.raises(CardError, match="unknown key 'gian'"):
        decoder = dict(toy.toy_card()['decoder'], settings={'gian': 2.0})
        create_decoder(parse_card(toy.toy_card(decoder=decoder), 'x'))
    with pytest.raises(CardError, match='yields no points of shape'):
        decoder = dict(toy.toy_card()['decoder'], outputs={'tensor': 'points'})
        PoseEstimator(toy_model, 'onnxruntime', card=toy.toy_card(decoder=decoder))


def test_the_command_line_takes_it(toy_model, tmp_path, capsys):
    cv2 = pytest.importorskip('cv2')
    from pose_ros.cli.main import main
    image, result = str(tmp_path / 'a.png'), str(tmp_path / 'a.json')
    cv2.imwrite(image, np.full((128, 96, 3), 255, np.uint8))
    assert main(['image', image, '--model', toy_model, '--json', result, '--quiet',
                 '--set', 'pose.gain=0.5']) == 0
    with open(result) as stream:
        person = json.load(stream)['frames'][0]['people'][0]
    assert person['score'] == pytest.approx(0.5, abs=1e-3)
    assert np.allclose(np.array(person['keypoints'])[:, :2], place((0, 0, 96, 128)), atol=1e-2)
    assert main(['info', toy_model]) == 0
    assert 'pose.gain=1.0' in capsys.readouterr().out
    from pose_ros.cli.options import settings_help
    assert 'pose.gain=1.0' in settings_help()
