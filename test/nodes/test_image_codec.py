# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Every image encoding, written by hand in NumPy and read back; every way to break a message."""
from array import array
import sys
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
from sample_images import alpha, color_image, gray, HEIGHT, patches, WIDTH
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.core.image_messages import DECODERS, decode_compressed, decode_image
from pose_ros.core.samples import SampleDepth
from pose_ros.nodes.image_codec import encode_bgr8, encode_jpeg

BAYER = {'rggb': 'rg gb', 'bggr': 'bg gr', 'gbrg': 'gb rg', 'grbg': 'gr bg'}


def message(rows, encoding, width=WIDTH, height=HEIGHT, padding=0, big_endian=0, wrap=bytes):
    """Make an Image from rows of any dtype, each row padded with bytes that must not be read."""
    rows = np.ascontiguousarray(rows)
    rows = rows.reshape(rows.shape[0], -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), mode='constant', constant_values=255)
    return SimpleNamespace(encoding=encoding, width=width, height=height, step=rows.shape[1],
                           is_bigendian=big_endian, data=wrap(rows.tobytes()))


def yuv(bgr):
    """Return the luminance and color planes of ITU-R BT.601, limited range."""
    b, g, r = np.moveaxis(bgr.astype(float), 2, 0) / 255
    y = 0.299 * r + 0.587 * g + 0.114 * b
    planes = 16 + 219 * y, 128 + 112 * (b - y) / 0.886, 128 + 112 * (r - y) / 0.701
    return [np.rint(plane).astype(np.uint8) for plane in planes]


@pytest.mark.parametrize('padding', [0, 1, 12])
@pytest.mark.parametrize('encoding, arrange', [
    ('bgr8', lambda bgr: bgr), ('8UC3', lambda bgr: bgr), ('rgb8', lambda bgr: bgr[..., ::-1]),
    ('bgra8', alpha), ('8UC4', alpha), ('rgba8', lambda bgr: alpha(bgr[..., ::-1]))])
def test_color_of_8_bits_is_exact(encoding, arrange, padding):
    expected = color_image()
    decoded = decode_image(message(arrange(expected), encoding, padding=padding))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize('big_endian', [0, 1])
@pytest.mark.parametrize('padding', [0, 1, 6])
@pytest.mark.parametrize('encoding, arrange', [
    ('bgr16', lambda bgr: bgr), ('16UC3', lambda bgr: bgr), ('rgb16', lambda bgr: bgr[..., ::-1]),
    ('bgra16', alpha), ('16UC4', alpha), ('rgba16', lambda bgr: alpha(bgr[..., ::-1]))])
def test_color_of_16_bits_keeps_the_upper_8(encoding, arrange, padding, big_endian):
    expected = color_image()
    low = np.random.RandomState(1).randint(0, 256, arrange(expected).shape)
    values = (arrange(expected).astype(int) * 256 + low).astype('>u2' if big_endian else '<u2')
    msg = message(values, encoding, padding=padding, big_endian=big_endian)
    np.testing.assert_array_equal(decode_image(msg), expected)


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_gray_of_8_bits_is_exact(encoding):
    expected = color_image()[..., 0]
    np.testing.assert_array_equal(
        decode_image(message(expected, encoding, padding=3)), gray(expected))


@pytest.mark.parametrize('big_endian', [0, 1])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
@pytest.mark.parametrize('encoding', ['mono16', 'rgb16', 'bgr16', 'bayer_rggb16', 'rgba16'])
def test_16_bits_are_scaled_by_what_they_hold(encoding, bits, big_endian):
    gray_levels = np.random.RandomState(2).randint(0, 2 ** bits, (HEIGHT, WIDTH))
    gray_levels[0, :2] = 2 ** bits - 1
    channels = {'rgb16': 3, 'bgr16': 3, 'rgba16': 4}.get(encoding, 1)
    values = np.repeat(gray_levels[..., None], channels, 2)
    if channels == 4:
        values[..., 3] = 65535  # opaque, whatever the colors hold
    msg = message(values.astype('>u2' if big_endian else '<u2'), encoding, padding=5,
                  big_endian=big_endian)
    expected = gray_levels >> (bits - 8)
    decoded = decode_image(msg)
    if encoding.startswith('bayer'):
        assert decoded.max() > 240 and abs(decoded.mean() - expected.mean()) < 5
    else:
        np.testing.assert_array_equal(decoded, gray(expected))


@pytest.mark.parametrize('compressed', [False, True])
def test_the_scale_of_a_camera_never_follows_a_dark_image(compressed):
    depth = SampleDepth()
    for level, expected in ((1000, 250), (40, 10), (4000, 250), (40, 2)):
        values = np.full((HEIGHT, WIDTH), level, '<u2')
        if compressed:
            data = cv2.imencode('.png', values)[1].tobytes()
            image = decode_compressed(
                SimpleNamespace(format='mono16; png compressed mono16', data=data), depth)
        else:
            image = decode_image(message(values, 'mono16'), depth)
        assert (image == expected).all() and image.shape == (HEIGHT, WIDTH, 3)
    assert decode_image(message(values, 'mono16')).max() == 40


@pytest.mark.parametrize('encoding, dtype', [
    ('16UC1', '<u2'), ('32FC1', '<f4'), ('16SC1', '<i2'), ('32SC1', '<i4'), ('64FC1', '<f8')])
def test_depth_is_refused_with_advice(encoding, dtype):
    msg = message(np.ones((HEIGHT, WIDTH), dtype), encoding)
    for decode, refused in ((decode_image, msg), (decode_compressed, SimpleNamespace(
            format=encoding + '; png compressed ', data=b'\x89PNG'))):
        with pytest.raises(ImageError, match='holds depth, not colors: subscribe to the color .*'
                                             'remap the topic `image`'):
            decode(refused)
    assert encoding not in DECODERS


@pytest.mark.parametrize('size', [(1, 1), (1, 5), (5, 1), (2, 2), (2, 7), (7, 2), (3, 3)])
@pytest.mark.parametrize('bits', [8, 16])
def test_the_smallest_bayer_images_are_not_black(size, bits):
    mosaic = np.full(size, 200 * (1 if bits == 8 else 257), np.uint8 if bits == 8 else '<u2')
    msg = message(mosaic, 'bayer_grbg{}'.format(bits), size[1], size[0])
    np.testing.assert_array_equal(decode_image(msg), np.full(size + (3,), 200, np.uint8))
    tile = message(np.uint8([[200, 100], [100, 10]]), 'bayer_rggb8', 2, 2)
    np.testing.assert_array_equal(decode_image(tile), np.tile(np.uint8([10, 100, 200]), (2, 2, 1)))


@pytest.mark.parametrize('padding', [0, 4])
@pytest.mark.parametrize('encoding, luminance, order', [
    ('uyvy', 1, 'uv'), ('yuv422', 1, 'uv'), ('yuyv', 0, 'uv'), ('yuv422_yuy2', 0, 'uv')])
def test_yuv422(encoding, luminance, order, padding):
    expected = patches()
    y, u, v = yuv(expected)
    packed = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    packed[..., luminance] = y
    packed[:, 0::2, 1 - luminance] = u[:, 0::2]
    packed[:, 1::2, 1 - luminance] = v[:, 0::2]
    decoded = decode_image(message(packed, encoding, padding=padding))
    assert abs(decoded.astype(int) - expected).max() <= 3


def nv_planes(expected, encoding):
    y, u, v = yuv(expected)
    first, second = (u, v) if encoding == 'nv12' else (v, u)
    color = np.dstack([first[::2, ::2], second[::2, ::2]]).reshape(HEIGHT // 2, WIDTH)
    return np.concatenate([y, color])


@pytest.mark.parametrize('padding', [0, 12])
@pytest.mark.parametrize('encoding', ['nv12', 'nv21'])
def test_yuv420(encoding, padding):
    expected = patches()
    decoded = decode_image(message(nv_planes(expected, encoding), encoding, padding=padding))
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    assert abs(decoded.astype(int) - expected).max() <= 3


@pytest.mark.parametrize('step', [0, WIDTH * 3 // 2, WIDTH * 2])
def test_packed_nv12_is_read_with_any_step(step):
    expected = patches()
    msg = message(nv_planes(expected, 'nv12'), 'nv12')
    msg.step = step
    assert abs(decode_image(msg).astype(int) - expected).max() <= 3


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', sorted(BAYER))
def test_bayer_patterns_are_those_of_ros(pattern, bits):
    color = {'b': 10, 'g': 100, 'r': 200}
    tile = np.array([[color[letter] for letter in row] for row in BAYER[pattern].split()])
    mosaic = np.tile(tile, (HEIGHT // 2, WIDTH // 2))
    mosaic = mosaic.astype(np.uint8) if bits == 8 else (mosaic * 256 + 99).astype('<u2')
    decoded = decode_image(message(mosaic, 'bayer_{}{}'.format(pattern, bits), padding=2))
    np.testing.assert_array_equal(decoded, np.tile(np.uint8([10, 100, 200]), (HEIGHT, WIDTH, 1)))


@pytest.mark.parametrize('wrap', [bytes, bytearray, list, lambda data: array('B', data),
                                  lambda data: np.frombuffer(data, np.uint8)])
def test_every_kind_of_data_is_read(wrap):
    expected = color_image()
    np.testing.assert_array_equal(
        decode_image(message(expected, 'bgr8', padding=5, wrap=wrap)), expected)
    np.testing.assert_array_equal(
        decode_image(message(expected[..., ::-1], 'rgb8', wrap=wrap)), expected)


@pytest.mark.parametrize('padding', [0, 7])
def test_bgr8_is_a_view_of_the_data(padding):
    msg = message(color_image(), 'bgr8', padding=padding, wrap=lambda data: array('B', data))
    decoded = decode_image(msg)
    assert np.shares_memory(decoded, np.frombuffer(msg.data, np.uint8))
    msg.data[0] ^= 255
    assert decoded[0, 0, 0] == msg.data[0]


@pytest.mark.parametrize('encoding', sorted(
    name for name in DECODERS if not name.startswith(('bayer', 'yu', 'uy', 'nv'))))
def test_one_pixel(encoding):
    decoded = decode_image(message(np.zeros((1, 16), np.uint8), encoding, width=1, height=1))
    assert decoded.tolist() == [[[0, 0, 0]]]


def test_48_megapixels():
    rows = np.zeros((6000, 8000), np.uint8)
    rows[-1, -1] = 200
    decoded = decode_image(message(rows, 'mono8', width=8000, height=6000, wrap=lambda data: data))
    assert decoded.shape == (6000, 8000, 3)
    assert decoded[-1, -1].tolist() == [200, 200, 200] and not decoded[:, 0].any()


def test_extra_bytes_after_the_last_row_are_ignored():
    msg = message(color_image(), 'bgr8')
    msg.data += b'trailer'
    np.testing.assert_array_equal(decode_image(msg), color_image())


@pytest.mark.parametrize('encoding, changes, words', [
    ('bgr8', {'step': WIDTH * 3 - 1}, ['step=59', '60 bytes', "20 x 12 'bgr8'"]),
    ('bgr8', {'step': 0}, ['step=0']),
    ('mono16', {'step': WIDTH}, ['step=20', '40 bytes']),
    ('bgr8', {'data': b'\0' * 719}, ['719 bytes', '12 rows of step=60 take 720']),
    ('bgr8', {'data': b''}, ['0 bytes']),
    ('nv12', {'data': b'\0' * 359, 'step': WIDTH}, ["20 x 12 'nv12'", '359 bytes', '18 rows']),
    ('bgr8', {'width': 0}, ['no pixels']),
    ('bgr8', {'height': 0}, ['no pixels']),
    ('bgr8', {'width': 16385, 'height': 16384, 'step': 49155}, ['16385 x 16384 px', 'max_pixels']),
    ('uyvy', {'width': 19}, ['odd width', 'even']),
    ('nv21', {'height': 11}, ['odd side', 'even']),
])
def test_broken_messages_are_refused_with_the_reason(encoding, changes, words):
    msg = message(color_image(), encoding)
    vars(msg).update(changes)
    with pytest.raises(ImageError) as caught:
        decode_image(msg)
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_encoding_is_named_with_the_known_ones(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    with pytest.raises(ImageError) as caught:
        decode_image(message(color_image(), 'xyz9'))
    text = str(caught.value)
    assert "'xyz9'" in text and 'cv_bridge' in text
    for encoding in DECODERS:
        assert encoding in text


@pytest.fixture
def cv_bridge(monkeypatch):
    """Put a stand-in for cv_bridge in place; its answer is set by the test."""
    module = ModuleType('cv_bridge')
    module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=module.convert)
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    return module


def test_cv_bridge_serves_other_encodings_alone(cv_bridge):
    cv_bridge.convert = lambda msg, encoding: (msg.encoding, encoding)
    assert decode_image(message(color_image(), 'nv24')) == ('nv24', 'bgr8')
    np.testing.assert_array_equal(decode_image(message(color_image(), 'bgr8')), color_image())


def test_a_failure_of_cv_bridge_becomes_an_image_error(cv_bridge):
    def convert(msg, encoding):
        raise RuntimeError('boost says no')

    cv_bridge.convert = convert
    with pytest.raises(ImageError, match='boost says no'):
        decode_image(message(color_image(), 'nv24'))


def empty_message():
    return SimpleNamespace(data=array('B'))


def test_an_encoded_image_reads_back_and_carries_the_header():
    header = object()
    msg = encode_bgr8(color_image(), header, empty_message())
    assert msg.header is header and (msg.encoding, msg.is_bigendian) == ('bgr8', 0)
    assert (msg.width, msg.height, msg.step) == (WIDTH, HEIGHT, WIDTH * 3)
    assert isinstance(msg.data, array) and msg.data.typecode == 'B'
    assert type(msg.width) is int and type(msg.height) is int
    np.testing.assert_array_equal(decode_image(msg), color_image())


def test_encoding_reuses_the_buffer_of_the_same_size_only():
    msg = encode_bgr8(np.zeros((HEIGHT, WIDTH, 3), np.uint8), None, empty_message())
    buffer = msg.data
    flipped = color_image()[:, ::-1]
    assert encode_bgr8(flipped, None, msg).data is buffer
    np.testing.assert_array_equal(decode_image(msg), flipped)
    assert encode_bgr8(flipped[1:], None, msg).data is not buffer
    np.testing.assert_array_equal(decode_image(msg), flipped[1:])


@pytest.mark.parametrize('image', [
    np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)])
@pytest.mark.parametrize('encode', [encode_bgr8, lambda *parts: encode_jpeg(*parts, quality=90)])
def test_only_bgr_images_are_encoded(encode, image):
    with pytest.raises(ImageError):
        encode(image, None, empty_message())
