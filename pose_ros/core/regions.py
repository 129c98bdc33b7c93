# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of frames and their exact mapping to the network's input and back.

Pixel centers are at integer coordinates. A region of w x h px that is resized to W x H px maps
x to (x + 0.5) W / w - 0.5 (the half-pixel rule of OpenCV's resize), so the inverse is exact,
borders included.
"""
import math
from typing import NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.card import InputSpec


class Region(NamedTuple):
    """A rectangle of one frame, px; pixel centers are at integers.

    `frame` is the index in the list of frames. The rectangle covers `size` (width, height) around
    `center` (x, y); the whole of a W x H image has the center ((W - 1) / 2, (H - 1) / 2).
    `angle` [rad] turns it clockwise as seen in the image; `mirror` flips it left to right.
    """

    frame: int
    center: Tuple[float, float]
    size: Tuple[float, float]
    angle: float = 0.0
    mirror: bool = False


class Transform(NamedTuple):
    """An affine map from image pixels to network-input pixels.

    `matrix` (2, 3) float64. `fitted` is (left, top, width, height) of the region in the input
    [px] if the map is an axis-aligned resize to whole pixels, else None. `mirrored`: left and
    right are exchanged.
    """

    matrix: np.ndarray
    fitted: Optional[Tuple[int, int, int, int]] = None
    mirrored: bool = False

    @property
    def inverse(self) -> np.ndarray:
        """Return the matrix (2, 3) from network-input pixels to image pixels."""
        (a, b, x), (c, d, y) = self.matrix.tolist()
        a, b, c, d = (value / (a * d - b * c) for value in (d, -b, -c, a))
        return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])

    def to_network(self, points: np.ndarray) -> np.ndarray:
        """Map image points (..., 2) to network-input pixels."""
        return np.asarray(points) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Map network-input points (..., 2) to image pixels."""
        inverse = self.inverse
        return np.asarray(points) @ inverse[:, :2].T + inverse[:, 2]

    def boxes_to_image(self, boxes: np.ndarray) -> np.ndarray:
        """Map boxes (P, 4) of the network input to upright boxes that enclose them in the image.

        left, top, width, height [px], counted from the outer edge of pixel 0; a box with NaN stays
        NaN.
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        across, down = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
        corners = np.stack([boxes[:, :1] + boxes[:, 2:3] * across,
                            boxes[:, 1:2] + boxes[:, 3:] * down], -1)
        # Edges lie half a pixel beside the centers that the matrix maps.
        corners = self.to_image(corners - 0.5) + 0.5
        low, high = corners.min(1), corners.max(1)
        return np.concatenate([low, high - low], 1)


def whole(frame: int, width: int, height: int) -> Region:
    """Return the region that covers an image of width x height px."""
    return Region(frame, ((width - 1) / 2.0, (height - 1) / 2.0), (width, height))


def crop_region(frame: int, box, spec: InputSpec) -> Region:
    """Return the crop of a person: its box (left, top, width, height) [px], with padding.

    The box grows to the aspect of the input, around its center, so that nothing is distorted
    (Simple Baselines, arXiv:1804.06208).
    """
    left, top, width, height = (float(value) for value in box)
    aspect = float(spec.width) / spec.height
    width, height = max(width, height * aspect), max(height, width / aspect)
    # A box covers pixels from left to left + width; the first pixel's center lies 0.5 inside.
    center = (left + (box[2] - 1) / 2.0, top + (box[3] - 1) / 2.0)
    return Region(frame, center, (width * spec.padding, height * spec.padding))


def fit_region(region: Region, spec: InputSpec) -> Transform:
    """Plan how a region becomes the network's input: letterboxed, stretched or cropped."""
    if spec.fit == 'letterbox':
        fitted = _letterboxed(region.size, spec)
    else:
        fitted = (0, 0, spec.width, spec.height)
    left, top, width, height = fitted
    x, y = width / float(region.size[0]), height / float(region.size[1])
    x = -x if region.mirror else x
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    a, b, c, d = x * cos, x * sin, -y * sin, y * cos
    center_x, center_y = map(float, region.center)
    # Python's floats: NumPy takes longer for so few of them.
    matrix = np.array([
        [a, b, left + (width - 1) / 2.0 - (a * center_x + b * center_y)],
        [c, d, top + (height - 1) / 2.0 - (c * center_x + d * center_y)]])
    return Transform(matrix, None if region.angle else fitted, region.mirror)


def _letterboxed(size, spec):
    ratio = min(spec.width / float(size[0]), spec.height / float(size[1]))
    width = min(spec.width, max(1, int(round(size[0] * ratio))))
    height = min(spec.height, max(1, int(round(size[1] * ratio))))
    if spec.align == 'top_left':
        return 0, 0, width, height
    return (spec.width - width) // 2, (spec.height - height) // 2, width, height
