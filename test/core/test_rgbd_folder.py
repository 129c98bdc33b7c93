# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of color images with depth."""
import logging

import cv2
import numpy as np
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.core.sources import ImageFolder, open_source, RgbdFolder

WIDTH, HEIGHT = 8, 6
CALIBRATION = '''
image_width: 8
image_height: 6
distortion_model: plumb_bob
camera_matrix: {rows: 3, cols: 3, data: [10, 0, 3.5, 0, 11, 2.5, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [10, 0, 3.5, 0, 0, 11, 2.5, 0, 0, 0, 1, 0]}
'''


def color(level):
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def depth(millimeters, height=HEIGHT):
    return np.full((height, WIDTH), millimeters, np.uint16)


def write(path, image):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture(params=['{}.png {}_depth.png', 'color/{}.bmp depth/{}.png',
                        'rgb/{}.png depth/{}.png'])
def folder(request, tmp_path):
    """A folder in one of the layouts: images 2, 10 and 11, the last one without depth."""
    image, distance = request.param.split()
    for number in (10, 2, 11):
        write(tmp_path / image.format(number), color(10 * number))
        if number != 11:
            write(tmp_path / distance.format(number), depth(100 * number))
    return tmp_path


def test_each_frame_has_its_depth(folder):
    (folder / 'camera_info.yaml').write_text(CALIBRATION)
    with open_source(folder) as source:
        assert isinstance(source, RgbdFolder) and source.has_depth and source.frame_count == 3
        assert 'RGB-D folder' in source.describe() and source.calibration.endswith('info.yaml')
        frames = list(source)
    assert [frame.image[0, 0, 0] for frame in frames] == [20, 100, 110]
    assert frames[2].depth is None
    for frame, meters in zip(frames, (0.2, 1.0)):
        np.testing.assert_allclose(frame.depth, np.full((HEIGHT, WIDTH), meters), rtol=1e-6)
        assert frame.depth.dtype == np.float32
        assert (frame.camera.fx, frame.camera.fy, frame.camera.cx) == (10, 11, 3.5)


def test_depth_and_camera_are_resized_with_the_image(tmp_path):
    write(tmp_path / 'a.png', color(50))
    half = depth(1000)
    half[:, 4:] = 0
    write(tmp_path / 'a_depth.png', half)
    (tmp_path / 'camera_info.yaml').write_text(CALIBRATION)
    frame = open_source(tmp_path, size=(16, 0)).read()
    assert frame.size == (16, 12) and (frame.camera.width, frame.camera.fx) == (16, 20)
    np.testing.assert_array_equal(frame.depth, [[1.0] * 8 + [np.nan] * 8] * 12)


def test_without_calibration_there_is_no_camera(tmp_path):
    write(tmp_path / 'a.png', color(50))
    write(tmp_path / 'a_depth.png', depth(1000))
    source = open_source(tmp_path)
    assert source.calibration == '' and source.read().camera is None


@pytest.mark.parametrize('text, words', [
    ('image_width: 8', "lacks the key 'image_height'"),
    (CALIBRATION.replace('10, 0, 3.5', '0, 0, 3.5'), 'is not calibrated'),
    (CALIBRATION.replace('image_width: 8', 'image_width: 9'), 'for images of 9 x 6, but a.png')])
def test_a_calibration_that_does_not_fit_is_refused(tmp_path, text, words):
    write(tmp_path / 'a.png', color(50))
    write(tmp_path / 'a_depth.png', depth(1000))
    (tmp_path / 'camera_info.yaml').write_text(text)
    with pytest.raises(ImageError, match=words):
        open_source(tmp_path).read()


def test_depth_that_cannot_be_used_is_reported_once(tmp_path, caplog):
    for name, image in (('a', depth(500, 7)), ('b', color(9)), ('c', depth(700))):
        write(tmp_path / (name + '.png'), color(50))
        write(tmp_path / (name + '_depth.png'), image)
    write(tmp_path / 'd.png', color(50))
    (tmp_path / 'd_depth.png').write_bytes(b'\x89PNG\r\n\x1a\ndamaged')
    caplog.set_level(logging.WARNING, 'pose_ros')
    source = open_source(tmp_path, loop=True)
    known = [source.read().depth is not None for _ in range(8)]
    assert known == [False, False, True, False] * 2
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 3
    for text, words in zip(texts, ('has 8 x 7 px, and its image 8 x 6', 'no depth image',
                                   'cut short')):
        assert text.startswith('no positions of ') and words in text


def test_a_folder_without_depth_is_an_ordinary_one(tmp_path):
    write(tmp_path / 'a.png', color(50))
    write(tmp_path / 'b_depth.png', color(60))
    source = open_source(tmp_path)
    assert type(source) is ImageFolder and source.frame_count == 2 and not source.has_depth
