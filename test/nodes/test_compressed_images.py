# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""CompressedImage messages: JPEG and PNG, whole, cut and damaged."""
from array import array
from types import SimpleNamespace

import cv2
import numpy as np
from sample_images import alpha, color_image, gray, HEIGHT, patches, WIDTH
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.core.image_messages import decode_compressed
from pose_ros.nodes.image_codec import encode_jpeg


def compressed(extension, image, form='bgr8; jpeg compressed bgr8', wrap=bytes):
    done, data = cv2.imencode(extension, image)
    assert done
    return SimpleNamespace(format=form, data=wrap(data.tobytes()))


@pytest.mark.parametrize('wrap', [bytes, list, lambda data: array('B', data)])
def test_png_is_exact(wrap):
    msg = compressed('.png', color_image(), 'bgr8; png compressed bgr8', wrap)
    np.testing.assert_array_equal(decode_compressed(msg), color_image())


@pytest.mark.parametrize('form', [
    'bgr8; jpeg compressed bgr8', 'rgb8; jpeg compressed bgr8', 'mono8; jpeg compressed ', 'jpeg',
    'jpg', ''])
def test_jpeg_keeps_its_colors(form):
    image = np.tile(np.uint8([40, 90, 200]), (32, 48, 1))
    decoded = decode_compressed(compressed('.jpg', image, form))
    assert decoded.shape == image.shape and abs(decoded.astype(int) - image).max() <= 3


def test_channels_that_were_compressed_as_rgb_are_swapped():
    msg = compressed('.png', color_image()[..., ::-1], 'rgb8; png compressed rgb8')
    np.testing.assert_array_equal(decode_compressed(msg), color_image())


@pytest.mark.parametrize('image', [
    color_image()[..., 0], color_image()[..., 0].astype(np.uint16) * 256 + 255,
    alpha(color_image())])
def test_png_of_other_kinds_becomes_bgr(image):
    expected = gray(color_image()[..., 0]) if image.ndim == 2 else color_image()
    np.testing.assert_array_equal(decode_compressed(compressed('.png', image)), expected)


def test_a_jpeg_padded_with_zeros_is_complete():
    msg = compressed('.jpg', patches())
    msg.data += b'\0' * 64
    assert decode_compressed(msg).shape == (HEIGHT, WIDTH, 3)


def test_a_jpeg_in_a_buffer_with_the_rest_of_an_earlier_image_is_complete():
    msg = compressed('.jpg', patches())
    expected = decode_compressed(msg)
    msg.data += compressed('.jpg', color_image(240, 320)).data[:-2]
    np.testing.assert_array_equal(decode_compressed(msg), expected)


@pytest.mark.parametrize('extension, codec', [('.jpg', 'JPEG'), ('.png', 'PNG')])
@pytest.mark.parametrize('keep', [0.3, 0.6, 0.99])
def test_a_truncated_image_is_refused(extension, codec, keep):
    msg = compressed(extension, color_image(240, 320))
    msg.data = msg.data[:int(len(msg.data) * keep)]
    with pytest.raises(ImageError, match='cut short.*end marker of a {}'.format(codec)):
        decode_compressed(msg)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image():
    thumbnail = compressed('.jpg', color_image(16, 16)).data
    data = compressed('.jpg', color_image(240, 320)).data
    comment = b'\xff\xfe' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = data[:2] + comment + data[2:]
    msg = SimpleNamespace(format='jpeg', data=whole)
    assert decode_compressed(msg).shape == (240, 320, 3)
    msg.data = whole[:len(whole) * 2 // 3]
    with pytest.raises(ImageError, match='cut short'):
        decode_compressed(msg)


@pytest.mark.parametrize('data, form, words', [
    (b'', 'jpeg', 'empty'),
    (b'abcdef', 'jpeg', "neither JPEG nor PNG .*b'abcd'"),
    (b'\xff\xd8\xff\xd9', 'jpeg', 'damaged'),
    (b'\0' * 12, '16UC1; compressedDepth png', 'depth')])
def test_invalid_compressed_data_is_refused(data, form, words):
    with pytest.raises(ImageError, match=words):
        decode_compressed(SimpleNamespace(format=form, data=data))


def test_a_damaged_png_is_refused():
    msg = compressed('.png', color_image(64, 64))
    middle = len(msg.data) // 2
    msg.data = msg.data[:middle] + bytes([msg.data[middle] ^ 255]) + msg.data[middle + 1:]
    with pytest.raises(ImageError, match='damaged'):
        decode_compressed(msg)


def test_encode_jpeg_uses_the_quality():
    image = cv2.GaussianBlur(color_image(120, 160), (0, 0), 3)
    fine, coarse = (encode_jpeg(image, None, SimpleNamespace(), quality) for quality in (95, 10))
    assert isinstance(fine.data, array) and len(fine.data) > 2 * len(coarse.data)
    assert fine.format == 'bgr8; jpeg compressed bgr8'
    assert abs(decode_compressed(fine).astype(int) - image).mean() < 3
