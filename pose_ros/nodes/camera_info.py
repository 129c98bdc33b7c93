# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""CameraInfo messages of a calibration file, or of the camera of a frame."""
from copy import deepcopy

import numpy as np
from sensor_msgs.msg import CameraInfo

from pose_ros.core.calibration_file import load_calibration
from pose_ros.core.camera import Pinhole
from pose_ros.core.errors import ImageError

_ASPECT_TOLERANCE = 0.01


def load_camera_info(path: str) -> CameraInfo:
    """Read a file into a CameraInfo without header; ImageError names what the file lacks."""
    found = load_calibration(path)
    return CameraInfo(width=found.width, height=found.height, k=found.k, d=found.d, r=found.r,
                      p=found.p, distortion_model=found.distortion_model)


def camera_info_of(camera: Pinhole) -> CameraInfo:
    """Return the CameraInfo, without header, of a camera whose images have no distortion."""
    matrix = camera.matrix
    return CameraInfo(width=camera.width, height=camera.height, distortion_model='plumb_bob',
                      d=[0.0] * 5, k=matrix.ravel().tolist(), r=np.eye(3).ravel().tolist(),
                      p=np.column_stack([matrix, np.zeros(3)]).ravel().tolist())


def scale_camera_info(info: CameraInfo, width: int, height: int) -> CameraInfo:
    """Return the calibration of the same camera with images resized to width x height px.

    Pixel centers are at integer coordinates, so x becomes (x + 0.5) s - 0.5. ImageError if the
    aspect differs: then the images are not those that were calibrated.
    """
    scales = float(width) / info.width, float(height) / info.height
    if abs(scales[0] / scales[1] - 1) > _ASPECT_TOLERANCE:
        raise ImageError(
            'the camera calibration is for images of {} x {}, these have {} x {}: calibrate '
            'again, set width and height, or leave camera_info_file empty'.format(
                info.width, info.height, width, height))
    result = deepcopy(info)
    result.width, result.height = width, height
    for matrix, columns in ((result.k, 3), (result.p, 4)):
        for row, scale in enumerate(scales):
            for column in range(columns):
                matrix[row * columns + column] *= scale
            matrix[row * columns + 2] += 0.5 * scale - 0.5
    return result
