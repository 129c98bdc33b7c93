# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole: the calibration of a camera, and what resize, crop and binning do to it.

Pixel centers are at integer coordinates. A resize by s moves x to (x + 0.5) s - 0.5, so the
principal point moves by the same rule. Distortion follows OpenCV's models, as in
sensor_msgs/CameraInfo (REP 104): plumb_bob and rational_polynomial, or equidistant (fisheye).
"""
import re
from typing import NamedTuple, Tuple

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.quoting import quoted

_PINHOLE_MODELS = ('plumb_bob', 'rational_polynomial')
_FISHEYE_MODELS = ('equidistant', 'fisheye')
WIDEST_RAY = 100.0  # |x / z|; the inverse of a distortion diverges beyond its range
_GUESSED_FOCAL_LENGTH = 1.0  # image widths; 53 degrees
_RECTIFIED_TOPIC = re.compile(r'(.*[/_])?rect(_[^/]*)?$')


class Pinhole(NamedTuple):
    """Focal lengths and principal point [px] of a camera, for images of width x height px.

    `distortion` holds the coefficients of `model`; empty for a rectified image. `rectification`
    is the row-major 3 x 3 rotation from the camera's frame to the rectified frame, empty for none.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Tuple[float, ...] = ()
    model: str = 'plumb_bob'
    rectification: Tuple[float, ...] = ()

    @property
    def matrix(self) -> np.ndarray:
        """Return K (3, 3) float64."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    def scaled(self, width: int, height: int) -> 'Pinhole':
        """Return the camera of the same images, resized to width x height px."""
        x, y = float(width) / self.width, float(height) / self.height
        return self._replace(width=width, height=height, fx=self.fx * x, fy=self.fy * y,
                             cx=(self.cx + 0.5) * x - 0.5, cy=(self.cy + 0.5) * y - 0.5)

    def cropped(self, left: int, top: int, width: int, height: int) -> 'Pinhole':
        """Return the camera of a part of its images, the region of interest [px]."""
        if min(left, top) < 0 or min(width, height) < 1 or left + width > self.width \
                or top + height > self.height:
            raise ImageError('the region of interest {} x {} at ({}, {}) lies outside the image '
                             'of {} x {}'.format(width, height, left, top, self.width,
                                                 self.height))
        return self._replace(width=width, height=height, cx=self.cx - left, cy=self.cy - top)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points (..., 3) [m] of the optical frame to pixels (..., 2).

        Points on or behind the plane of the camera, and NaN, become NaN.
        """
        points = np.asarray(points, np.float64)
        shape = points.shape[:-1] + (2,)
        points = points.reshape(-1, 3)
        pixels = np.full((len(points), 2), np.nan)
        seen = points[:, 2] > 0
        if seen.any():
            pixels[seen] = self._project(points[seen])
        return pixels.reshape(shape)

    def deproject(self, pixels: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Return the points (..., 3) [m] seen at pixels (..., 2), with z = depth (...) [m]."""
        rays = self.rays(pixels)
        return rays * np.asarray(depth, np.float64)[..., None]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return the points (..., 3) with z = 1 seen at pixels (..., 2); NaN stays NaN."""
        pixels = np.asarray(pixels, np.float64)
        flat = pixels.reshape(-1, 2)
        if self.distortion and len(flat):
            flat = self._undistort(flat)
        else:
            flat = (flat - (self.cx, self.cy)) / (self.fx, self.fy)
        ones = np.ones((len(flat), 1))
        return np.concatenate([flat, ones], 1).reshape(pixels.shape[:-1] + (3,))

    def _project(self, points):
        if not self.distortion:
            return points[:, :2] / points[:, 2:] * (self.fx, self.fy) + (self.cx, self.cy)
        zero = np.zeros(3)
        project = cv2.fisheye.projectPoints if self.model in _FISHEYE_MODELS \
            else cv2.projectPoints
        pixels, _ = project(points[:, None], zero, zero, self.matrix, np.array(self.distortion))
        return pixels.reshape(-1, 2)

    def _undistort(self, pixels):
        undistort = cv2.fisheye.undistortPoints if self.model in _FISHEYE_MODELS \
            else cv2.undistortPoints
        found = np.isfinite(pixels).all(1)
        result = np.full(pixels.shape, np.nan)
        if found.any():
            result[found] = undistort(pixels[found][:, None], self.matrix,
                                      np.array(self.distortion)).reshape(-1, 2)
        return result


def guessed_pinhole(width: int, height: int) -> Pinhole:
    """Return a camera for images without calibration: 53 degrees wide, centered."""
    focal_length = width * _GUESSED_FOCAL_LENGTH
    return Pinhole(width, height, focal_length, focal_length, width / 2.0 - 0.5,
                   height / 2.0 - 0.5)


def pinhole_from_camera_info(info, rectified: bool = False) -> Pinhole:
    """Read a sensor_msgs/CameraInfo, or any object with its fields, as the camera of its images.

    K and D describe the full-resolution image; the region of interest and the binning of the
    message are applied. rectified: the images were rectified, so P replaces K and D. ImageError if
    the message holds no calibration (K[0] is 0), or an invalid size, region or distortion model.
    """
    matrix = [float(value) for value in (info.p if rectified else info.k)]
    fx, fy = matrix[0], matrix[5 if rectified else 4]
    cx, cy = matrix[2], matrix[6 if rectified else 5]
    if not (fx > 0 and fy > 0 and np.isfinite([fx, fy, cx, cy]).all()):
        raise ImageError('camera_info is not calibrated: {} holds the focal lengths {:g} and '
                         '{:g}'.format('P' if rectified else 'K', fx, fy))
    if min(info.width, info.height) < 1:
        raise ImageError('camera_info has the image size {} x {}'.format(info.width, info.height))
    distortion = () if rectified else _distortion(info)
    rotation = tuple(float(value) for value in info.r) if not rectified and any(info.r) else ()
    if not np.isfinite(distortion + rotation).all():
        raise ImageError('camera_info holds NaN or infinity in D or R')
    camera = Pinhole(int(info.width), int(info.height), fx, fy, cx, cy, distortion,
                     info.distortion_model or _PINHOLE_MODELS[0], rotation)
    roi = info.roi
    if roi.width and roi.height:
        camera = camera.cropped(int(roi.x_offset), int(roi.y_offset), int(roi.width),
                                int(roi.height))
    binning = max(1, int(info.binning_x)), max(1, int(info.binning_y))
    return camera if binning == (1, 1) else camera.scaled(
        max(1, camera.width // binning[0]), max(1, camera.height // binning[1]))


def is_rectified(setting: str, topic: str) -> bool:
    """Resolve the parameter `rectified` (auto, always, never) for the full name of a topic."""
    if setting != 'auto':
        return setting == 'always'
    return _RECTIFIED_TOPIC.match(topic) is not None


def _distortion(info):
    coefficients = tuple(float(value) for value in info.d)
    if not any(coefficients):
        return ()
    counts = {_PINHOLE_MODELS[0]: (4, 5), _PINHOLE_MODELS[1]: (8, 12, 14)}
    counts.update((name, (4,)) for name in _FISHEYE_MODELS)
    if info.distortion_model not in counts:
        raise ImageError('camera_info has the unknown distortion model {}; known: {}'.format(
            quoted(info.distortion_model), ', '.join(sorted(counts))))
    if len(coefficients) not in counts[info.distortion_model]:
        raise ImageError('camera_info has {} distortion coefficients; {} takes {}'.format(
            len(coefficients), info.distortion_model,
            ' or '.join(map(str, counts[info.distortion_model]))))
    return coefficients
