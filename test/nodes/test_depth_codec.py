# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depth messages, written by hand, and every way to break one."""
import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.nodes.depth_codec import (decode_compressed_depth, decode_depth_image,
                                        encode_depth)

NAN = np.nan
MILLIMETERS = np.array([[0, 870, 65535], [1, 2500, 9999]])
METERS = np.float32([[NAN, .87, NAN], [.001, 2.5, 9.999]])


def raw(samples, encoding, padding=0, big_endian=0, **changes):
    rows = np.ascontiguousarray(samples).view(np.uint8).reshape(samples.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), mode='constant', constant_values=255)
    return SimpleNamespace(**dict({
        'encoding': encoding, 'width': samples.shape[1], 'height': samples.shape[0],
        'step': rows.shape[1], 'is_bigendian': big_endian, 'data': rows.tobytes()}, **changes))


def compressed(image, form='16UC1; compressedDepth png', header=(0, 0., 0.)):
    data = cv2.imencode('.png', image)[1].tobytes()
    return SimpleNamespace(format=form, data=struct.pack('<iff', *header) + data)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('order', ['<', '>'])
def test_raw_depth(padding, order):
    msg = raw(MILLIMETERS.astype(order + 'u2'), '16UC1', padding, int(order == '>'))
    np.testing.assert_allclose(decode_depth_image(msg), METERS, rtol=1e-6)
    meters = np.nan_to_num(METERS).astype(order + 'f4')
    meters[0] = (-1, .87, np.inf)
    msg = raw(meters, '32FC1', padding, int(order == '>'))
    np.testing.assert_allclose(decode_depth_image(msg), METERS, rtol=1e-6)


@pytest.mark.parametrize('msg, text', [
    (raw(np.ones((2, 3), np.uint8), 'mono8'), 'no depth image: publish depth as 16UC1'),
    (raw(np.ones((2, 3), np.uint16), 'mono16'), 'no depth image'),
    (raw(np.ones((2, 3), np.uint16), '16UC1', width=0), 'has no pixels'),
    (raw(np.ones((2, 3), np.uint16), '16UC1', width=4), 'step=6, but a row takes 8'),
    (raw(np.ones((2, 3), np.uint16), '16UC1', data=b'12345'), '5 bytes of data'),
    (raw(np.ones((2, 3), np.uint16), '16UC1', width=2 ** 14, height=2 ** 14),
     'more than the limit'),
    (raw(np.ones((2, 3), np.uint16), '16UC1', width=2 ** 31, height=1), 'no side may have')])
def test_invalid_raw_depth(msg, text):
    with pytest.raises(ImageError, match=text):
        decode_depth_image(msg)


@pytest.mark.parametrize('form', ['16UC1; compressedDepth png', '16UC1; compressedDepth'])
def test_compressed_millimeters(form):
    msg = compressed(MILLIMETERS.astype(np.uint16), form)
    np.testing.assert_allclose(decode_compressed_depth(msg), METERS, rtol=1e-6)
    msg.data = msg.data[12:]  # a plain PNG
    np.testing.assert_allclose(decode_compressed_depth(msg), METERS, rtol=1e-6)


def test_compressed_meters_are_inverse_depth():
    scale, offset = 100. * (100 + 1), 100. - 1  # quantization 100, largest depth 101 / 2 m
    depth = np.array([[NAN, .87], [2.5, 9.9]])
    inverse = np.nan_to_num(scale / depth + offset).round().astype(np.uint16)
    msg = compressed(inverse, '32FC1; compressedDepth png', (0, scale, offset))
    np.testing.assert_allclose(decode_compressed_depth(msg), depth, rtol=1e-3)
    msg = compressed(inverse, '32FC1; compressedDepth png', (0, NAN, np.inf))
    assert np.isnan(decode_compressed_depth(msg)).all()


@pytest.mark.parametrize('change, text', [
    (lambda msg: dict(data=b''), 'is no PNG'),
    (lambda msg: dict(data=msg.data[:8]), 'is no PNG'),
    (lambda msg: dict(data=b'\0' * 40, format='16UC1; compressedDepth rvl'), 'but RVL'),
    (lambda msg: dict(data=msg.data[:-9]), 'cut short'),
    (lambda msg: dict(data=compressed(np.ones((2, 3), np.uint8)).data), 'no depth image'),
    (lambda msg: dict(data=compressed(np.ones((2, 3), np.uint8)).data,
                      format='32FC1; compressedDepth png'), 'holds uint8')])
def test_invalid_compressed_depth(change, text):
    msg = compressed(MILLIMETERS.astype(np.uint16))
    with pytest.raises(ImageError, match=text):
        decode_compressed_depth(SimpleNamespace(**dict(vars(msg), **change(msg))))


def test_a_large_png_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('decoded'))
    with pytest.raises(ImageError, match='more than the limit'):
        decode_compressed_depth(compressed(np.ones((20, 30), np.uint16)), 599)


def test_encoded_depth_is_read_back():
    depth = np.float32([[NAN, .87, np.inf], [70, 2.5, 9.999]])
    msg = encode_depth(depth, 'header', SimpleNamespace())
    assert (msg.encoding, msg.step, msg.header) == ('16UC1', 6, 'header')
    np.testing.assert_allclose(decode_depth_image(msg), [[NAN, .87, NAN], [NAN, 2.5, 9.999]],
                               rtol=1e-6)
