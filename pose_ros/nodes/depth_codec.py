# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depth messages to (H, W) float32 meters, NaN where unknown; and depth to messages."""
from array import array
import struct

import numpy as np

from pose_ros.core.compressed import codec_of, decode_samples
from pose_ros.core.depth import depth_in_meters
from pose_ros.core.errors import ImageError
from pose_ros.core.image_messages import as_bytes, RawImage
from pose_ros.core.image_size import MAX_PIXELS, size_fault
from pose_ros.core.samples import SampleDepth

MILLIMETERS, METERS = '16UC1', '32FC1'
_SAMPLES = {MILLIMETERS: 'u2', METERS: 'f4'}
# compressed_depth_image_transport: the kind of compression, and two constants of 32FC1.
_HEADER = struct.Struct('<iff')


def decode_depth_image(msg, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a sensor_msgs/Image of 16UC1 [mm] or 32FC1 [m] as (H, W) float32 meters.

    ImageError says what is wrong with it.
    """
    raw = RawImage(as_bytes(msg.data), int(msg.width), int(msg.height), int(msg.step),
                   bool(msg.is_bigendian), msg.encoding, SampleDepth())
    if msg.encoding not in _SAMPLES:
        raise ImageError('{} is no depth image: publish depth as 16UC1 [mm] or 32FC1 '
                         '[m]'.format(raw))
    if not raw.width or not raw.height:
        raise ImageError('{} has no pixels: the driver published an empty message'.format(raw))
    fault = size_fault((raw.width, raw.height), max_pixels)
    if fault:
        raise ImageError('the depth image {}, if the message is not corrupt'.format(fault))
    kind = np.dtype(('>' if raw.big_endian else '<') + _SAMPLES[msg.encoding])
    rows = np.ascontiguousarray(raw.rows(raw.width * kind.itemsize))
    return depth_in_meters(rows.view(kind).reshape(raw.height, raw.width), str(raw))


def decode_compressed_depth(msg, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a sensor_msgs/CompressedImage of compressedDepth (PNG) as (H, W) float32 meters.

    A PNG of 16 bits [mm] without the header of that transport is read, too. 32FC1 holds inverse
    depth i as a / (i - b), with a and b in the header (compressed_depth_image_transport, codec).
    """
    where = 'the depth image of format {!r}'.format(msg.format)
    data = as_bytes(msg.data).tobytes()
    if codec_of(data) == 'png':
        return depth_in_meters(decode_samples(data, where, max_pixels), where)
    image = data[_HEADER.size:]
    if codec_of(image) != 'png':
        raise ImageError('{} is no PNG{}: let the publisher send PNG (parameter '
                         'format of compressedDepth), or raw images'.format(
                             where, ', but RVL' if 'rvl' in msg.format.lower() else ''))
    samples = decode_samples(image, where, max_pixels)
    if not msg.format.startswith(METERS):
        return depth_in_meters(samples, where)
    if samples.dtype != np.uint16:
        raise ImageError('{} holds {}, not 16 bits of inverse depth'.format(where, samples.dtype))
    _, scale, offset = _HEADER.unpack_from(data)
    with np.errstate(all='ignore'):
        depth = np.float32(scale) / (samples.astype(np.float32) - np.float32(offset))
    return depth_in_meters(np.where(samples == 0, np.float32(np.nan), depth), where)


def encode_depth(depth: np.ndarray, header, msg):
    """Fill a sensor_msgs/Image with depth (H, W) [m], as 16UC1, and return it."""
    millimeters = np.rint(np.nan_to_num(depth * np.float32(1000), nan=0.0, posinf=0.0))
    samples = np.where(millimeters < 65535, millimeters, 0).astype('<u2')
    msg.header = header
    msg.height, msg.width = samples.shape
    msg.encoding, msg.is_bigendian, msg.step = MILLIMETERS, 0, 2 * samples.shape[1]
    data = array('B')
    data.frombytes(samples.tobytes())
    msg.data = data
    return msg
