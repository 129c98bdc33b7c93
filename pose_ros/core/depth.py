# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images: to meters, with NaN where nothing was measured (REP 117, REP 118)."""
import numpy as np

from pose_ros.core.compressed import decode_samples
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.reading import LARGEST_IMAGE, read_file

_UNKNOWN_MM = 65535  # of cameras that do not write 0
_METER = np.float32(0.001)


def depth_in_meters(samples: np.ndarray, where: str) -> np.ndarray:
    """Return (H, W) samples as float32 meters: uint16 are mm, floating-point numbers meters.

    0, 65535 mm, negative and infinite samples become NaN. `where` names the image in the
    ImageError for other types and shapes.
    """
    if samples.ndim != 2 or not samples.size \
            or samples.dtype.kind + str(samples.dtype.itemsize) not in ('u2', 'f4', 'f8'):
        raise ImageError('{} is no depth image: depth has one channel of 16 bits [mm] or of '
                         'floating-point numbers [m], this is {} {}'.format(
                             where, samples.dtype.name, samples.shape))
    depth = samples.astype(np.float32)
    if samples.dtype.kind == 'u':
        depth *= _METER
        depth[(samples == 0) | (samples == _UNKNOWN_MM)] = np.nan
    else:
        with np.errstate(invalid='ignore'):
            depth[~((depth > 0) & (depth < np.inf))] = np.nan
    return depth


def decode_depth(data: bytes, where: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image of 16 bits [mm], such as a PNG, to (H, W) float32 meters.

    ImageError as of decode_bytes and depth_in_meters.
    """
    return depth_in_meters(decode_samples(data, where, max_pixels), where)


def read_depth(path: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read such a file; ImageError names it if it cannot be read."""
    try:
        data = read_file(path, LARGEST_IMAGE)
    except OSError as error:
        raise ImageError('cannot read the depth image {}: {}'.format(
            path, error.strerror)) from error
    return decode_depth(data, 'the depth image {}'.format(path), max_pixels)


def check_depth(frame) -> None:
    """Raise ImageError unless depth and camera of a Frame are those of its image."""
    depth, camera = frame.depth, frame.camera
    if not isinstance(depth, np.ndarray) or depth.dtype != np.float32 \
            or depth.shape != frame.image.shape[:2]:
        found = '{} {}'.format(depth.dtype, depth.shape) if isinstance(depth, np.ndarray) \
            else type(depth)
        raise ImageError('depth must be an array {} of float32 [m], one for each pixel of the '
                         'image, not {}: register the depth to the image'.format(
                             frame.image.shape[:2], found))
    if (camera.width, camera.height) != frame.size:
        raise ImageError('the camera is calibrated for images of {} x {}, this one has {} x {}: '
                         'take camera.scaled(width, height)'.format(
                             camera.width, camera.height, *frame.size))
