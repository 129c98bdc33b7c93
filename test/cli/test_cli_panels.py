# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros image --panels`: drawings of what a network sees."""
import cv2
import numpy as np
import pytest

from networks import make_part


def test_panels_of_one_image_and_of_a_folder(pose_ros, tiny_model, images, tmp_path):
    """A picture of the maps for each image."""
    answer = pose_ros('image', images / 'a.png', '--model', tiny_model, '--panels',
                      tmp_path / 'maps.png')
    assert answer.code == 0, answer.err
    picture = cv2.imread(str(tmp_path / 'maps.png'))
    assert picture.shape[0] % 128 == 0 and picture.shape[1] % 160 == 0 and picture.size > 2e6
    answer = pose_ros('image', images, '--model', tiny_model, '--panels', tmp_path / 'maps')
    assert answer.code == 0
    assert sorted(path.name for path in (tmp_path / 'maps').iterdir()) == ['a.png', 'b.png']
    answer = pose_ros('image', images, '--model', tiny_model, '--panels', tmp_path / 'm.png')
    assert answer.code == 2 and 'argument --panels' in answer.err
    answer = pose_ros('image', images / 'a.png', '--model', tiny_model, '--panels',
                      images / 'a.png')
    assert answer.code == 2 and 'would overwrite' in answer.err


def test_panels_of_a_network_without_maps(pose_ros, images, tmp_path):
    """The error comes before any work."""
    pytest.importorskip('onnx')
    path = make_part(tmp_path / 'part.onnx', 'hand_21', np.ones((21, 2)))
    answer = pose_ros('image', images / 'a.png', '--model', path, '--panels', tmp_path / 'm.png')
    assert answer.code == 1 and 'hand_21 yields no maps to draw' in answer.err
    assert not (tmp_path / 'm.png').exists()
