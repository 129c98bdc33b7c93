# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The camera of one image, from an XML file in OpenCV's form beside it."""
import cv2
import numpy as np

from pose_ros.core.camera import Pinhole
from pose_ros.core.errors import ImageError
from pose_ros.core.reading import LARGEST_CARD, read_file


def read_camera_xml(path: str, width: int, height: int) -> Pinhole:
    """Read the camera of an image of width x height px, without distortion.

    ImageError unless the file has a 3 x 3 matrix `intrinsic`.
    """
    try:
        text = read_file(path, LARGEST_CARD).decode('utf-8')
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        matrix = storage.getNode('intrinsic').mat()
    except OSError as error:
        raise ImageError('cannot read the camera {}: {}'.format(path, error.strerror))
    except (UnicodeDecodeError, SystemError, cv2.error) as error:
        raise ImageError('{} is no XML file of OpenCV: {}'.format(
            path, ' '.join(str(error).split())))
    if matrix is None or matrix.shape != (3, 3) or not np.isfinite(matrix).all() \
            or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise ImageError('{} holds no camera: it needs a 3 x 3 matrix `intrinsic` with focal '
                         'lengths above 0'.format(path))
    return Pinhole(width, height, float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]),
                   float(matrix[1, 2]))
