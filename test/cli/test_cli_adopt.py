# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The commands adopt, models and fetch."""
import json
import sys

import cv2
import numpy as np
import pytest

from networks import make_constant
from pose_ros.core.card_files import load_card

pytest.importorskip('onnx')


def lightning(path, kind):
    """Write a network as MoveNet lightning: one person in the middle of the image."""
    rows = np.concatenate([np.full((17, 2), .5), np.full((17, 1), .9)], 1)
    return make_constant(path, {'points': rows[None, None]}, (1, 192, 192, 3), kind)


@pytest.fixture
def public(tmp_path):
    """Return the network with whole numbers as input, as it is published."""
    return lightning(tmp_path / 'lightning.onnx', 'INT32')


def test_adopt_writes_draws_and_tells_what_it_assumed(pose_ros, tmp_path, public):
    cv2.imwrite(str(tmp_path / 'photo.png'), np.zeros((100, 100, 3), np.uint8))
    answer = pose_ros('adopt', public, '--license', 'Apache-2.0', '--image',
                      tmp_path / 'photo.png')
    assert answer.code == 0, answer.err
    assert 'kind      coordinates of one person (MoveNet) (--type)' in answer.out
    assert '192x192 px, rgb, crop, center (--size --color --fit --align)' in answer.out
    path = tmp_path / 'lightning_adopted.onnx'
    assert load_card(str(path)).license == 'Apache-2.0'
    drawn = cv2.imread(str(tmp_path / 'lightning_adopted.png'))
    assert drawn[48:52, 48:52].any() and not drawn[:20, 60:].any()
    again = pose_ros('image', tmp_path / 'photo.png', '--model', path)
    assert again.code == 0 and '1 person' in again.out


def test_without_an_image_the_sample_is_drawn(pose_ros, tmp_path, public):
    pytest.importorskip('skimage')
    answer = pose_ros('adopt', public)
    path = tmp_path / 'lightning_adopted.png'
    assert answer.code == 0, answer.err
    assert "drawn     {}: 1 people in scikit-image's astronaut (--image)".format(
        path) in answer.out
    drawn = cv2.imread(str(path))
    assert drawn.shape == (512, 512, 3) and drawn[250:262, 250:262].any()


def test_without_any_image_nothing_is_drawn_and_the_output_says_so(pose_ros, tmp_path, public,
                                                                   monkeypatch):
    hand = make_constant(tmp_path / 'hand.onnx', {'a': np.zeros((1, 63)), 'b': np.zeros((1, 1))},
                         (1, 224, 224, 3))
    answer = pose_ros('adopt', hand)
    assert answer.code == 0 and 'drawn     nothing: name an image of a hand' in answer.out
    monkeypatch.setitem(sys.modules, 'skimage', None)
    answer = pose_ros('adopt', public)
    assert answer.code == 0 and 'drawn     nothing: name an image with --image' in answer.out
    assert not list(tmp_path.glob('*.png'))
    answer = pose_ros('adopt', public, '--image', tmp_path / 'absent.jpg')
    assert answer.code != 0 and 'absent.jpg' in answer.err


def test_options_of_adopt_reach_the_card(pose_ros, tmp_path):
    public, output = lightning(tmp_path / 'floats.onnx', 'FLOAT'), tmp_path / 'mine.onnx'
    answer = pose_ros('adopt', public, '-o', output, '--type', 'movenet', '--color', 'bgr',
                      '--mean', '1,2,3', '--std', '4,4,4', '--padding', '1.5')
    assert answer.code == 0, answer.err
    spec = load_card(str(output)).input
    assert (spec.color, spec.mean, spec.std, spec.padding) == ('bgr', (1, 2, 3), (4, 4, 4), 1.5)
    assert pose_ros('adopt', public, '--mean', '1,2').code == 2


def test_a_file_of_no_kind_is_code_1(pose_ros, tmp_path):
    path = make_constant(tmp_path / 'odd.onnx', {'a': np.zeros((1, 3, 7))})
    answer = pose_ros('adopt', path)
    assert answer.code == 1 and 'yields a 3x7 per image' in answer.err
    assert answer.err.count('\n') == 1


def test_adopt_never_replaces_its_input(pose_ros, public):
    answer = pose_ros('adopt', public, '-o', public)
    assert answer.code == 2 and 'would overwrite the input' in answer.err


def test_models_lists_bundled_and_public_names(pose_ros, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    listed = pose_ros('models').out
    assert 'pose_crop' in listed and '  rtmo-s ' in listed
    data = json.loads(pose_ros('models', '--json').out)
    assert {'name', 'address', 'license', 'accuracy', 'file'} <= set(data['public'][0])
    assert data['public'][0]['file'] is None


def test_a_misspelt_name_is_answered_with_the_nearest(pose_ros, images):
    answer = pose_ros('fetch', 'rtmo-z')
    assert answer.code == 1 and 'did you mean rtmo-s' in answer.err
    answer = pose_ros('image', images, '--model', 'botom_up')
    assert answer.code == 1 and 'did you mean bottom_up' in answer.err
