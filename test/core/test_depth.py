# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from pose_ros.core.depth import decode_depth, depth_in_meters, read_depth
from pose_ros.core.errors import ImageError

NAN = np.nan


def png(samples):
    return cv2.imencode('.png', samples)[1].tobytes()


def test_millimeters_and_meters():
    raw = np.array([[0, 1, 65535], [870, 10000, 65534]], np.uint16)
    depth = depth_in_meters(raw, 'depth')
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, [[NAN, .001, NAN], [.87, 10, 65.534]], rtol=1e-6)
    for kind in (np.float32, np.float64):
        raw = np.array([[0, -1, NAN], [np.inf, -np.inf, 2.5]], kind)
        np.testing.assert_array_equal(depth_in_meters(raw, 'depth'),
                                      np.float32([[NAN, NAN, NAN], [NAN, NAN, 2.5]]))
        assert raw[0, 0] == 0  # the caller's samples stay as they are


@pytest.mark.parametrize('samples', [
    np.ones((4, 4), np.uint8), np.ones((4, 4, 3), np.uint16), np.ones((4, 4), np.int16),
    np.ones((4, 4), np.int32), np.ones((0, 4), np.uint16), np.ones((4, 4), np.float16)])
def test_what_is_no_depth_is_refused(samples):
    with pytest.raises(ImageError, match='^the image is no depth image: .* this is ' +
                       samples.dtype.name):
        depth_in_meters(samples, 'the image')


def test_png_of_16_bits(tmp_path):
    raw = np.arange(12, dtype=np.uint16).reshape(3, 4) * 500
    (tmp_path / 'd.png').write_bytes(png(raw))
    expected = np.where(raw == 0, NAN, raw / 1000.)
    np.testing.assert_allclose(decode_depth(png(raw), 'depth'), expected, rtol=1e-6)
    np.testing.assert_allclose(read_depth(str(tmp_path / 'd.png')), expected, rtol=1e-6)


@pytest.mark.parametrize('data, limit, text', [
    (b'', 100, 'is empty'), (b'\x89PNG\r\n\x1a\n', 100, 'cut short'), (b'P7 ', 100, 'none of'),
    (png(np.ones((3, 4), np.uint8)), 100, 'no depth image'),
    (png(np.ones((3, 4, 3), np.uint8)), 100, 'no depth image'),
    (png(np.ones((3, 4), np.uint16)), 11, 'more than the limit'),
    (png(np.ones((3, 4), np.uint16))[:-20], 100, 'cut short')])
def test_files_that_are_refused(tmp_path, data, limit, text):
    path = tmp_path / 'd.png'
    path.write_bytes(data)
    with pytest.raises(ImageError, match='^the depth image {}.*{}'.format(path, text)):
        read_depth(str(path), limit)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match='cannot read the depth image .*none.png: No such file'):
        read_depth(str(tmp_path / 'none.png'))
