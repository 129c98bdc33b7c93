# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images to (H, W, 3) uint8 BGR, and BGR to messages."""
from array import array
from typing import Optional

import cv2
import numpy as np

from pose_ros.core.compressed import codec_of, decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import check_image
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.samples import SampleDepth
from pose_ros.nodes.image_encodings import as_bytes, holds_depth


def decode_compressed(msg, depth: Optional[SampleDepth] = None,
                      max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a sensor_msgs/CompressedImage (JPEG or PNG) as (H, W, 3) uint8 BGR.

    The codec follows from the data; `format` only marks depth, and the order of the channels.
    EXIF orientation is ignored: CameraInfo describes the pixels as they were sent. `depth` as in
    decode_image.
    """
    form = msg.format.lower()
    if 'compresseddepth' in form or holds_depth(msg.format):
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


def encode_bgr8(image: np.ndarray, header, msg):
    """Fill a sensor_msgs/Image with an (H, W, 3) uint8 BGR image and return it.

    A message that already carries an image of this size is overwritten in place, which saves the
    page faults of a new buffer: safe between two calls of publish().
    """
    check_image(image)
    msg.header = header
    msg.height, msg.width = image.shape[:2]
    msg.encoding, msg.is_bigendian, msg.step = 'bgr8', 0, 3 * image.shape[1]
    if isinstance(msg.data, array) and len(msg.data) == image.size:
        np.copyto(np.frombuffer(msg.data, np.uint8).reshape(image.shape), image)
    else:
        # The generated setter takes an array of unsigned bytes as it is, and copies all else.
        data = array('B')
        data.frombytes(np.ascontiguousarray(image))
        msg.data = data
    return msg


def encode_jpeg(image: np.ndarray, header, msg, quality: int):
    """Fill a sensor_msgs/CompressedImage with an (H, W, 3) uint8 BGR image and return it."""
    check_image(image)
    done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError('an image of shape {} cannot be encoded as JPEG'.format(image.shape))
    msg.header, msg.format = header, 'bgr8; jpeg compressed bgr8'
    msg.data = array('B')
    msg.data.frombytes(data)
    return msg
