# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: read, scaled to the size of the images, and refused if invalid."""
import os

import pytest
import yaml

from pose_ros.core.errors import ImageError
from pose_ros.nodes.camera_info import load_camera_info, scale_camera_info


def calibration():
    """Return the content of a file, in the layout of camera_calibration."""
    def matrix(rows, data):
        return {'rows': rows, 'cols': len(data) // rows, 'data': data}

    return {
        'image_width': 640, 'image_height': 480, 'camera_name': 'head',
        'camera_matrix': matrix(3, [500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0]),
        'distortion_model': 'plumb_bob',
        'distortion_coefficients': matrix(1, [0.1, -0.2, '1e-05', 0.0, 0]),
        'rectification_matrix': matrix(3, [1, 0, 0, 0, 1, 0, 0, 0, 1]),
        'projection_matrix': matrix(3, [490.0, 0, 310.0, -50.0, 0, 495.0, 230.0, 0, 0, 0, 1, 0]),
    }


def write(tmp_path, content):
    path = tmp_path / 'head.yaml'
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def test_a_file_becomes_a_message(tmp_path):
    info = load_camera_info(write(tmp_path, calibration()))
    assert (info.width, info.height, info.distortion_model) == (640, 480, 'plumb_bob')
    assert list(info.k) == [500, 0, 319.5, 0, 510, 239.5, 0, 0, 1]
    assert list(info.d) == [0.1, -0.2, 1e-05, 0, 0]
    assert list(info.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert list(info.p) == [490, 0, 310, -50, 0, 495, 230, 0, 0, 0, 1, 0]


def test_the_text_of_the_calibrator_is_read(tmp_path):
    text = '''
image_width: 640
image_height: 480
camera_name: head
camera_matrix:
  rows: 3
  cols: 3
  data: [500., 0., 320.,
         0., 500., 240.,
         0., 0., 1.]
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [500, 0, 320, 0, 0, 500, 240, 0, 0, 0, 1, 0]}
'''
    assert list(load_camera_info(write(tmp_path, text)).k) == [500, 0, 320, 0, 500, 240, 0, 0, 1]


def test_half_the_size_halves_the_focal_length_and_keeps_the_center(tmp_path):
    info = load_camera_info(write(tmp_path, calibration()))
    half = scale_camera_info(info, 320, 240)
    assert (half.width, half.height) == (320, 240)
    # The middle of 640 columns is 319.5, that of 320 columns is 159.5.
    assert list(half.k) == pytest.approx([250, 0, 159.5, 0, 255, 119.5, 0, 0, 1])
    assert list(half.p) == pytest.approx([245, 0, 154.75, -25, 0, 247.5, 114.75, 0, 0, 0, 1, 0])
    assert list(half.d) == list(info.d)
    assert list(info.k)[0] == 500  # the original is untouched


def test_another_aspect_is_refused(tmp_path):
    info = load_camera_info(write(tmp_path, calibration()))
    with pytest.raises(ImageError, match='640 x 480, these have 1280 x 720'):
        scale_camera_info(info, 1280, 720)


@pytest.mark.parametrize('change, words', [
    ({'camera_matrix': None}, "lacks the key 'camera_matrix'"),
    ({'image_width': None}, "lacks the key 'image_width'"),
    ({'projection_matrix': {'data': [1] * 9}}, 'projection_matrix has 9 numbers, not 12'),
    ({'rectification_matrix': {'data': ['x'] * 9}}, "'x'"),
    ({'rectification_matrix': {'rows': 3}}, "lacks the key 'data'"),
    ({'camera_matrix': {'data': [0] * 9}}, 'focal lengths 0 and 0'),
    ({'image_height': 0}, 'image_height must be')])
def test_an_invalid_file_is_refused_with_the_reason(tmp_path, change, words):
    content = dict(calibration(), **change)
    path = write(tmp_path, {key: value for key, value in content.items() if value is not None})
    with pytest.raises(ImageError) as caught:
        load_camera_info(path)
    assert words in str(caught.value) and path in str(caught.value)


@pytest.mark.parametrize('text', ['', 'only words', '[1, 2]', '{a: [', 'a: b: c'])
def test_a_file_of_another_kind_is_refused(tmp_path, text):
    with pytest.raises(ImageError, match='is not a camera calibration'):
        load_camera_info(write(tmp_path, text))


def test_a_missing_file_is_named():
    with pytest.raises(ImageError, match='cannot read the camera calibration nowhere.yaml'):
        load_camera_info('nowhere.yaml')


LAUGHS = 'a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n' + ''.join(
    'a{0}: &a{0} [{1}]\n'.format(level, ', '.join(['*a{}'.format(level - 1)] * 9))
    for level in range(1, 10))


@pytest.mark.parametrize('change, words', [
    ({'image_width': float('inf')}, 'image_width must be'), ({'image_height': 2 ** 40}, 'height'),
    ({'image_width': True}, 'image_width'), ({'image_width': -640}, 'image_width'),
    ({'image_width': '640'}, 'image_width'), ({'distortion_model': ['plumb_bob'] * 9}, 'model'),
    ({'distortion_model': 'magic'}, "unknown distortion model 'magic'"),
    ({'camera_matrix': {'rows': 9, 'cols': 9, 'data': [500.0, 0, 320, 0, 500, 240, 0, 0, 1]}},
     'camera_matrix has rows 9, not 3'),
    ({'camera_matrix': {'rows': 9, 'cols': 9, 'data': [1.0] * 81}}, 'has 81 numbers, not 9'),
    ({'camera_matrix': {'data': [float('nan')] * 9}}, 'no finite number'),
    ({'camera_matrix': {'data': [[500] for _ in range(9)]}}, 'no finite number'),
    ({'camera_matrix': {'data': [True] * 9}}, 'no finite number'),
    ({'camera_matrix': {'data': '123456789'}}, 'a list of numbers'),
    ({'camera_matrix': [1] * 9}, 'a list of numbers'),
    ({'distortion_coefficients': {'data': [0.1] * 100}}, 'has 100 numbers, not up to 14'),
    ({'distortion_coefficients': {'data': [0.1] * 3}}, '3 distortion coefficients'),
    ({'camera_matrix': {'data': [0.0] * 9}}, 'not calibrated')])
def test_impossible_values_are_refused(tmp_path, change, words):
    content = dict(calibration(), **change)
    with pytest.raises(ImageError, match='is not a camera calibration') as error:
        load_camera_info(write(tmp_path, content))
    assert words in str(error.value)


@pytest.mark.parametrize('text, words', [
    (LAUGHS + 'distortion_model: *a9\nimage_width: 640\nimage_height: 480\n', 'aliases'),
    ('[' * 100000, 'levels'), ('a: ' + '{b: ' * 500, 'levels'),
    ('image_width: 640\nimage_width: 320\n', "the key 'image_width' appears twice"),
    ('distortion_model: "\\ud800"\n', 'surrogate'), ('image_width: ' + '9' * 5000, 'too long'),
    ('image_width: !!timestamp x', 'camera calibration'), ('- 1\n- 2\n', 'no keys'),
    ('', 'no keys'), ('image_width: 640\n---\nimage_width: 320\n', 'single document'),
    ('#' * (1 << 21), 'at most')])
def test_hostile_texts_are_refused(tmp_path, text, words):
    with pytest.raises(ImageError, match='head.yaml') as error:
        load_camera_info(write(tmp_path, text))
    assert words in str(error.value)


def test_a_calibration_is_a_regular_file(tmp_path):
    path = tmp_path / 'pipe'
    os.mkfifo(str(path))
    for name in (str(path), '/dev/zero', str(tmp_path)):
        with pytest.raises(ImageError, match='not a regular file'):
            load_camera_info(name)
