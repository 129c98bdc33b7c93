# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images (H, W, 3) uint8 BGR to messages; core/image_messages.py is the way back."""
from array import array

import numpy as np

from pose_ros.core.compressed import encode_jpeg_bytes, JPEG_FORMAT
from pose_ros.core.frame import check_image


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
    msg.header, msg.format = header, JPEG_FORMAT
    msg.data = array('B')
    msg.data.frombytes(encode_jpeg_bytes(image, quality))
    return msg
