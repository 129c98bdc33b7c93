# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Decode compressed images (JPEG, PNG, other formats of OpenCV), and detect damage."""
from typing import Optional

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.samples import SampleDepth

_JPEG, _PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
_JPEG_SCAN, _JPEG_END = b'\xff\xda', b'\xff\xd9'
_PNG_END = b'IEND\xaeB`\x82'


def codec_of(data: bytes) -> str:
    """Return 'jpeg' or 'png' by the first bytes; '' for anything else."""
    if data.startswith(_JPEG):
        return 'jpeg'
    return 'png' if data.startswith(_PNG) else ''


def decode_bytes(data: bytes, where: str, orient: bool = True,
                 depth: Optional[SampleDepth] = None) -> np.ndarray:
    """Decode to (H, W, 3) uint8 BGR; alpha is dropped.

    Samples of 16 bits become 8 by `depth`, which is updated (None: by this image alone).
    `where` names the image in errors. `orient` applies the EXIF orientation. ImageError if the
    data is empty, cut short or damaged: OpenCV alone may return a JPEG that is half gray.
    """
    if not data:
        raise ImageError('{} is empty: it has no bytes'.format(where))
    if _is_cut(data):
        raise ImageError(
            '{} is cut short: its {} bytes lack the end marker of a {} image; look for a full '
            'disk or a lossy link'.format(where, len(data), codec_of(data).upper()))
    flags = cv2.IMREAD_COLOR | (0 if orient else cv2.IMREAD_IGNORE_ORIENTATION)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_ANYDEPTH)
        if image is not None and image.dtype == np.uint16:
            image = (depth or SampleDepth()).to_8_bits(image)
        elif image is not None and image.dtype != np.uint8:  # OpenCV itself scales these
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError('{} cannot be decoded: {}'.format(where, error)) from error
    if image is None:
        raise ImageError('{} cannot be decoded: its {} bytes are {}'.format(
            where, len(data), 'damaged' if codec_of(data) else 'not an image that OpenCV reads'))
    return image


def _is_cut(data):
    """Return whether a JPEG or PNG lacks its end marker; bytes after it are allowed."""
    codec = codec_of(data)
    if codec == 'png':
        return data.rfind(_PNG_END) < 0
    if codec == 'jpeg':
        # A thumbnail in the header also has an end marker; the main scan follows it.
        end = data.rfind(_JPEG_END)
        return end < 0 or data.find(_JPEG_SCAN, end) >= 0
    return False
