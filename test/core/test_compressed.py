# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A JPEG or PNG ends where its own parts end, whatever follows."""
import cv2
import numpy as np
import pytest

from pose_ros.core.compressed import decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.sources import open_source

SCAN = b'\xff\xda\0\x08\1\1\0\0\x3f\0'  # in a video or another image: not of this one


def make_image(seed=0):
    noise = np.random.RandomState(seed).randint(0, 256, (120, 160, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def encoded(ending, *options, seed=0):
    done, data = cv2.imencode(ending, make_image(seed), options)
    assert done
    return data.tobytes()


@pytest.mark.parametrize('options', [
    (), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)])
@pytest.mark.parametrize('rest', [
    b'\0\0\0\x18ftypmp42' + SCAN + bytes(range(256)),  # a motion photo
    encoded('.jpg', seed=1)[:-2],  # a gain map whose end is lost, or an earlier, longer image
    SCAN + b'\xff' * 9, b'\0' * 64], ids=['video', 'image', 'scan', 'zeros'])
def test_a_jpeg_may_be_followed_by_other_bytes(options, rest):
    data = encoded('.jpg', *options)
    np.testing.assert_array_equal(decode_bytes(data + rest, 'it'), decode_bytes(data, 'it'))


@pytest.mark.parametrize('rest', [encoded('.png', seed=1)[:-12], SCAN, b'IEND'])
def test_a_png_may_be_followed_by_other_bytes(rest):
    np.testing.assert_array_equal(decode_bytes(encoded('.png') + rest, 'it'), make_image())


@pytest.mark.parametrize('ending', ['.jpg', '.png'])
@pytest.mark.parametrize('keep', [.1, .5, .98])
def test_a_cut_image_before_a_whole_one_is_refused(ending, keep):
    data = encoded(ending)
    with pytest.raises(ImageError, match='cut short|damaged'):
        decode_bytes(data[:int(keep * len(data))] + encoded(ending, seed=1), 'it')


def test_a_motion_photo_is_read_from_a_folder(tmp_path):
    (tmp_path / 'photo.jpg').write_bytes(encoded('.jpg') + b'ftypmp42' + SCAN)
    frame, = open_source(str(tmp_path))
    assert frame.image.shape == (120, 160, 3)
