# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/Image and CompressedImage, or objects with their fields, to BGR.

One function per memory layout, one registry. Samples of 16 bits become 8 by the depth that the
camera uses, see core/samples.py. YUV is ITU-R BT.601 with limited range, as cameras send it.
"""
from functools import partial
import re
from typing import Callable, Dict, NamedTuple, Optional

import cv2
import numpy as np

from pose_ros.core.compressed import codec_of, decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS, size_fault
from pose_ros.core.samples import SampleDepth


_BAYER_LEAST = 3  # px; OpenCV leaves smaller ones black
_DEPTH_ENCODING = re.compile('(16|32|64)[USF]C1')


class RawImage(NamedTuple):
    """The fields of a sensor_msgs/Image, with `data` as (N,) uint8."""

    data: np.ndarray
    width: int
    height: int
    step: int
    big_endian: bool
    encoding: str
    depth: SampleDepth

    def __str__(self):
        return 'the {} x {} {!r} image'.format(self.width, self.height, self.encoding)

    def rows(self, row_bytes: int, lines: int = 0) -> np.ndarray:
        """View the data as (lines or height, row_bytes) uint8; ImageError if it is too small."""
        if self.step < row_bytes:
            raise ImageError(
                '{} says step={}, but a row takes {} bytes: the driver must set step to the full '
                'length of a row'.format(self, self.step, row_bytes))
        lines = lines or self.height
        needed = self.step * lines
        if self.data.size < needed:
            raise ImageError(
                '{} has {} bytes of data, but {} rows of step={} take {}: the message was cut '
                'short, or its encoding is wrong'.format(
                    self, self.data.size, lines, self.step, needed))
        return self.data[:needed].reshape(lines, self.step)[:, :row_bytes]

    def pixels(self, channels: int) -> np.ndarray:
        """View 8-bit pixels as (height, width, channels) uint8."""
        return self.rows(self.width * channels).reshape(self.height, self.width, channels)

    def pixels16(self, channels: int) -> np.ndarray:
        """Return 16-bit pixels as (height, width, channels) uint8."""
        rows = np.ascontiguousarray(self.rows(self.width * channels * 2))
        samples = rows.view('>u2' if self.big_endian else '<u2')
        return self.depth.to_8_bits(samples.reshape(self.height, self.width, channels))


def _bgr(raw):
    return raw.pixels(3)


def _convert(raw, channels, code):
    return cv2.cvtColor(raw.pixels(channels), code)


def _bgr16(raw):
    return raw.pixels16(3)


def _convert16(raw, channels, code):
    return cv2.cvtColor(raw.pixels16(channels), code)


def _bayer(raw, code):
    return _demosaic(raw.pixels(1)[..., 0], code)


def _bayer16(raw, code):
    return _demosaic(raw.pixels16(1)[..., 0], code)


def _demosaic(mosaic, code):
    if min(mosaic.shape) >= _BAYER_LEAST:
        return cv2.cvtColor(mosaic, code)
    # Mirrored without the edge itself, a mosaic keeps its pattern; a single row has no mirror.
    for axis in range(2):
        around = [(0, 0), (0, 0)]
        around[axis] = (2, 2)
        mosaic = np.pad(mosaic, around, 'reflect' if mosaic.shape[axis] > 1 else 'edge')
    return cv2.cvtColor(mosaic, code)[2:-2, 2:-2].copy()


def _yuv422(raw, code):
    if raw.width % 2:
        raise ImageError('{} has an odd width, but 4:2:2 shares color between pairs of columns: '
                         'the driver must send an even width'.format(raw))
    return cv2.cvtColor(raw.pixels(2), code)


def _yuv420(raw, code):
    """Convert a luminance plane followed by interleaved color at half size."""
    if raw.width % 2 or raw.height % 2:
        raise ImageError('{} has an odd side, but 4:2:0 shares color between 2 x 2 pixels: the '
                         'driver must send even sides'.format(raw))
    lines = raw.height * 3 // 2
    if raw.data.size == lines * raw.width:
        # Drivers disagree on step here: packed planes come with 1, 1.5 and 2 times the width.
        raw = raw._replace(step=raw.width)
    return cv2.cvtColor(raw.rows(raw.width, lines), code)


_EXPAND, _RGB, _RGBA, _BGRA = (
    cv2.COLOR_GRAY2BGR, cv2.COLOR_RGB2BGR, cv2.COLOR_RGBA2BGR, cv2.COLOR_BGRA2BGR)
_UYVY, _YUYV = cv2.COLOR_YUV2BGR_UYVY, cv2.COLOR_YUV2BGR_YUY2

# OpenCV names a Bayer pattern by the pixels from (1, 1) on, ROS by those from (0, 0) on.
_BAYER = {
    'rggb': cv2.COLOR_BayerBG2BGR,
    'bggr': cv2.COLOR_BayerRG2BGR,
    'gbrg': cv2.COLOR_BayerGR2BGR,
    'grbg': cv2.COLOR_BayerGB2BGR,
}

DECODERS: Dict[str, Callable[[RawImage], np.ndarray]] = {
    'bgr8': _bgr,
    '8UC3': _bgr,
    'rgb8': partial(_convert, channels=3, code=_RGB),
    'bgra8': partial(_convert, channels=4, code=_BGRA),
    '8UC4': partial(_convert, channels=4, code=_BGRA),
    'rgba8': partial(_convert, channels=4, code=_RGBA),
    'mono8': partial(_convert, channels=1, code=_EXPAND),
    '8UC1': partial(_convert, channels=1, code=_EXPAND),
    'bgr16': _bgr16,
    '16UC3': _bgr16,
    'rgb16': partial(_convert16, channels=3, code=_RGB),
    'bgra16': partial(_convert16, channels=4, code=_BGRA),
    '16UC4': partial(_convert16, channels=4, code=_BGRA),
    'rgba16': partial(_convert16, channels=4, code=_RGBA),
    'mono16': partial(_convert16, channels=1, code=_EXPAND),
    'uyvy': partial(_yuv422, code=_UYVY),
    'yuv422': partial(_yuv422, code=_UYVY),
    'yuyv': partial(_yuv422, code=_YUYV),
    'yuv422_yuy2': partial(_yuv422, code=_YUYV),
    'nv12': partial(_yuv420, code=cv2.COLOR_YUV2BGR_NV12),
    'nv21': partial(_yuv420, code=cv2.COLOR_YUV2BGR_NV21),
}
for _pattern, _code in _BAYER.items():
    DECODERS['bayer_{}8'.format(_pattern)] = partial(_bayer, code=_code)
    DECODERS['bayer_{}16'.format(_pattern)] = partial(_bayer16, code=_code)


def holds_depth(encoding: str) -> bool:
    """Return whether images of this encoding are distances, or other data, but no colors."""
    return _DEPTH_ENCODING.match(encoding) is not None


def marks_depth(form: str) -> bool:
    """Return the same of an encoding, or of the format of a compressed image."""
    return 'compresseddepth' in form.lower() or holds_depth(form)


def decode_image(msg, depth: Optional[SampleDepth] = None,
                 max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a sensor_msgs/Image as (H, W, 3) uint8 BGR; ImageError says what is wrong with it.

    A bgr8 image is a view of the message's data (writable only if that is), all others are new.
    `depth` belongs to one camera and is updated; None: this image alone decides.
    """
    raw = RawImage(as_bytes(msg.data), int(msg.width), int(msg.height), int(msg.step),
                   bool(msg.is_bigendian), msg.encoding, depth or SampleDepth())
    if not raw.width or not raw.height:
        raise ImageError('{} has no pixels: the driver published an empty message'.format(raw))
    fault = size_fault((raw.width, raw.height), max_pixels)
    if fault:
        raise ImageError('the image {}, if the message is not corrupt'.format(fault))
    if holds_depth(raw.encoding):
        raise ImageError('{} holds depth, not colors: subscribe to the color image instead, '
                         'or remap the topic `image` to it (a gray image has the encoding mono8 '
                         'or mono16)'.format(raw))
    decoder = DECODERS.get(raw.encoding)
    if decoder is None:
        return _decode_by_cv_bridge(msg)
    try:
        return decoder(raw)
    except cv2.error as error:
        raise ImageError('{} cannot be converted to BGR: {}'.format(raw, error)) from error


def decode_compressed(msg, depth: Optional[SampleDepth] = None,
                      max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a sensor_msgs/CompressedImage (JPEG or PNG) as (H, W, 3) uint8 BGR.

    The codec follows from the data; `format` only marks depth, and the order of the channels.
    EXIF orientation is ignored: CameraInfo describes the pixels as they were sent. `depth` as in
    decode_image.
    """
    form = msg.format.lower()
    if marks_depth(msg.format):
        raise ImageError('a compressed image of format {!r} holds depth, not colors: subscribe '
                         'to the color image instead, or remap the topic `image` to it'.format(
                             msg.format))
    where = 'the compressed image of format {!r}'.format(msg.format)
    data = as_bytes(msg.data).tobytes()
    if data and not codec_of(data):
        raise ImageError('{} is neither JPEG nor PNG (it starts with {!r}): let the publisher '
                         'send one of these'.format(where, data[:4]))
    image = decode_bytes(data, where, False, depth, max_pixels)
    # Such a publisher gave its encoder RGB where BGR was expected: channels are swapped inside.
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if 'compressed rgb' in form else image


def as_bytes(data):
    """View array.array, bytes or an array as (N,) uint8; other sequences are copied."""
    try:
        return np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8)
    except (TypeError, ValueError, BufferError):
        return np.array(data, np.uint8).reshape(-1)


def _decode_by_cv_bridge(msg):
    try:
        from cv_bridge import CvBridge
        return CvBridge().imgmsg_to_cv2(msg, 'bgr8')
    except ImportError as error:
        reason = 'cv_bridge, which converts more encodings, cannot be imported: {}'.format(error)
    except Exception as error:  # a cv_bridge built for another NumPy raises anything
        reason = 'cv_bridge failed too: {}'.format(error)
    raise ImageError('unknown image encoding {!r} ({}); let the driver publish one of: {}'.format(
        msg.encoding, reason, ', '.join(sorted(DECODERS))))
