# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to (H, W, 3) uint8 BGR and back; any object with the fields will do."""
from array import array

import cv2
import numpy as np

from pose_ros.core.compressed import codec_of, decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import check_image
from pose_ros.nodes.image_encodings import DECODERS, RawImage

MAX_PIXELS = 2 ** 28


def decode_image(msg) -> np.ndarray:
    """Return a sensor_msgs/Image as (H, W, 3) uint8 BGR; ImageError says what is wrong with it.

    A bgr8 image is a view of the message's data (writable only if that is), all others are new.
    """
    raw = RawImage(_as_bytes(msg.data), int(msg.width), int(msg.height), int(msg.step),
                   bool(msg.is_bigendian), msg.encoding)
    if not raw.width or not raw.height:
        raise ImageError('{} has no pixels: the driver published an empty message'.format(raw))
    if raw.width * raw.height > MAX_PIXELS:
        raise ImageError('{} is larger than {} pixels: width and height of the message are '
                         'probably corrupt'.format(raw, MAX_PIXELS))
    decoder = DECODERS.get(raw.encoding)
    if decoder is None:
        return _decode_by_cv_bridge(msg)
    try:
        return decoder(raw)
    except cv2.error as error:
        raise ImageError('{} cannot be converted to BGR: {}'.format(raw, error)) from error


def decode_compressed(msg) -> np.ndarray:
    """Return a sensor_msgs/CompressedImage (JPEG or PNG) as (H, W, 3) uint8 BGR.

    The data tells the codec; `format` only tells depth from color, and the order of the channels.
    EXIF orientation is ignored: CameraInfo describes the pixels as they were sent.
    """
    form = msg.format.lower()
    if 'compresseddepth' in form:
        raise ImageError('a compressed image of format {!r} holds depth, not a picture: subscribe '
                         'to the color image instead'.format(msg.format))
    where = 'the compressed image of format {!r}'.format(msg.format)
    data = _as_bytes(msg.data).tobytes()
    if data and not codec_of(data):
        raise ImageError('{} is neither JPEG nor PNG (it starts with {!r}): let the publisher '
                         'send one of these'.format(where, data[:4]))
    image = decode_bytes(data, where, orient=False)
    # Such a publisher gave its encoder RGB where BGR was expected: channels are swapped inside.
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if 'compressed rgb' in form else image


def encode_bgr8(image: np.ndarray, header, msg):
    """Fill a sensor_msgs/Image with an (H, W, 3) uint8 BGR image and return it.

    A message that already carries an image of this size is overwritten in place, which saves the
    page faults of a new buffer: fine between two calls of publish().
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


def _as_bytes(data):
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
        reason = 'cv_bridge, which knows more, cannot be imported: {}'.format(error)
    except Exception as error:  # whatever a compiled library that meets a wrong NumPy raises
        reason = 'cv_bridge failed too: {}'.format(error)
    raise ImageError('unknown image encoding {!r} ({}); let the driver publish one of: {}'.format(
        msg.encoding, reason, ', '.join(sorted(DECODERS))))
