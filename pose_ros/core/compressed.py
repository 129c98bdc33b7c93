# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Decode compressed images (JPEG, PNG, other formats), and detect damage."""
import struct
from typing import Optional

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import image_size, jpeg_segments, MAX_PIXELS, NAMES, size_fault
from pose_ros.core.samples import SampleDepth

_JPEG, _PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
_JPEG_END = 0xd9
_JPEG_NESTED = 0xd8  # another image begins inside this one: its own end is lost


def codec_of(data: bytes) -> str:
    """Return 'jpeg' or 'png' by the first bytes; '' for anything else."""
    if data.startswith(_JPEG):
        return 'jpeg'
    return 'png' if data.startswith(_PNG) else ''


def decode_bytes(data: bytes, where: str, orient: bool = True,
                 depth: Optional[SampleDepth] = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode to (H, W, 3) uint8 BGR; alpha is dropped.

    Samples of 16 bits become 8 by `depth`, which is updated (None: by this image alone).
    `where` names the image in errors. `orient` applies the EXIF orientation. ImageError if the
    data is empty, cut short or damaged (OpenCV alone may return a JPEG that is half gray), of a
    format that `image_size` does not read, or of more than `max_pixels` by its header.
    """
    content = _checked(data, where, max_pixels)
    flags = cv2.IMREAD_COLOR | (0 if orient else cv2.IMREAD_IGNORE_ORIENTATION)
    image = _decoded(content, flags | cv2.IMREAD_ANYDEPTH, where)
    if image.dtype == np.uint16:
        return (depth or SampleDepth()).to_8_bits(image)
    # OpenCV itself scales samples of other types.
    return image if image.dtype == np.uint8 else _decoded(content, flags, where)


def decode_samples(data: bytes, where: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode to the samples as they are, (H, W) or (H, W, C); ImageError as of decode_bytes."""
    return _decoded(_checked(data, where, max_pixels), cv2.IMREAD_UNCHANGED, where)


def _checked(data, where, max_pixels):
    """Return the bytes of the image as (N,) uint8, if it is whole and of a sane size."""
    if not data:
        raise ImageError('{} is empty: it has no bytes'.format(where))
    end = _end(data)
    if not end:
        raise ImageError(
            '{} is cut short: its {} bytes lack the end marker of a {} image; look for a full '
            'disk or a lossy link'.format(where, len(data), codec_of(data).upper()))
    _check_size(data, where, max_pixels)
    return np.frombuffer(data, np.uint8, end)


def _decoded(content, flags, where):
    try:
        image = cv2.imdecode(content, flags)
    except cv2.error as error:
        raise ImageError('{} cannot be decoded: {}'.format(where, error)) from error
    if image is None:
        raise ImageError('{} cannot be decoded: its {} bytes are damaged'.format(
            where, len(content)))
    return image


def _check_size(data, where, max_pixels):
    size = image_size(data)
    if size is None:
        raise ImageError('{} cannot be decoded: its {} bytes are {}'.format(
            where, len(data), 'damaged' if codec_of(data) else 'none of ' + NAMES))
    fault = size_fault(size, max_pixels)
    if fault:
        raise ImageError('{} {}'.format(where, fault))


def _end(data):
    """Return where the image ends, 0 if it is cut: a JPEG or PNG may be followed by other bytes.

    Phones append a video, a gain map or a depth map to an image, and a driver may send the rest of
    an earlier one. Only the image's own parts show where it ends.
    """
    codec = codec_of(data)
    if codec == 'jpeg':
        return _jpeg_end(data)
    return _png_end(data) if codec == 'png' else len(data)


def _jpeg_end(data):
    """Follow the segments of a JPEG; return 0 without its end marker."""
    for marker, place in jpeg_segments(data):
        if marker == _JPEG_END:
            return place + 2
        if marker == _JPEG_NESTED:
            return 0
    return 0


def _png_end(data):
    """Follow the chunks of a PNG to the one that ends it; return 0 without it."""
    position = len(_PNG)
    while position + 12 <= len(data):
        length, name = struct.unpack_from('>I4s', data, position)
        position += length + 12
        if name == b'IEND':
            return position if position <= len(data) else 0
    return 0
