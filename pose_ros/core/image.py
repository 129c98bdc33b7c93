# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera frame to the network's input, and points back again, exactly.

Pixel centers are at integer coordinates. A resize by s maps x to (x + 0.5) s - 0.5 (the half-pixel
rule that OpenCV's resize follows), so the inverse here is exact, borders included.
"""
from typing import NamedTuple, Tuple

import cv2
import numpy as np

from pose_ros.core.card import InputSpec
from pose_ros.core.errors import ImageError

_INTERPOLATION = {'linear': cv2.INTER_LINEAR, 'cubic': cv2.INTER_CUBIC, 'area': cv2.INTER_AREA}
# Linear and cubic look at 2 or 4 source pixels only: beyond this shrinkage they would alias.
_AREA_FROM_SHRINKAGE = 4


class Transform(NamedTuple):
    """The map from source-image pixels to network-input pixels, per axis (x, y)."""

    scale: Tuple[float, float]
    offset: Tuple[int, int]
    image_size: Tuple[int, int]  # (width, height) of the source image

    def to_network(self, points: np.ndarray) -> np.ndarray:
        """Map source-image points (..., 2) to network-input pixels."""
        return (np.asarray(points) + 0.5) * self.scale - 0.5 + self.offset

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Map network-input points (..., 2) to source-image pixels."""
        return (np.asarray(points) - self.offset + 0.5) / self.scale - 0.5


def make_transform(image_width: int, image_height: int, spec: InputSpec) -> Transform:
    """Plan how an image is fitted: stretched, or letterboxed (aspect kept, centered)."""
    if spec.resize == 'stretch':
        fitted = (spec.width, spec.height)
    else:
        ratio = min(float(spec.width) / image_width, float(spec.height) / image_height)
        fitted = (min(spec.width, max(1, int(round(image_width * ratio)))),
                  min(spec.height, max(1, int(round(image_height * ratio)))))
    scale = (float(fitted[0]) / image_width, float(fitted[1]) / image_height)
    offset = ((spec.width - fitted[0]) // 2, (spec.height - fitted[1]) // 2)
    return Transform(scale, offset, (image_width, image_height))


def check_image(image) -> None:
    """Raise ImageError unless the image is (H, W, 3) uint8 with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 \
            or image.shape[2] != 3:
        found = '{} {}'.format(image.dtype, image.shape) \
            if isinstance(image, np.ndarray) else type(image)
        raise ImageError('an image must be an array (height, width, 3) of uint8, blue-green-red, '
                         'not {}'.format(found))
    if not image.size:
        raise ImageError('the image has no pixels: its shape is {}'.format(image.shape))


class Preprocessor:
    """Turns frames into network input, in buffers allocated once.

    Fresh arrays of this size cost more in page faults than all the arithmetic; the batch that
    `prepare` returns is therefore overwritten by the next call.
    """

    def __init__(self, spec: InputSpec):
        """Allocate the buffers for one network input."""
        self._spec = spec
        self._canvas = np.empty((spec.height, spec.width, 3), np.uint8)
        self._planes = [np.empty((spec.height, spec.width), np.uint8) for _ in range(3)]
        self._batch = np.empty((1, 3, spec.height, spec.width), np.float32)
        self._gain = np.array([spec.scale / std for std in spec.std], np.float32)
        self._bias = np.array([-mean / std for mean, std in zip(spec.mean, spec.std)], np.float32)
        self._transform = None

    def prepare(self, image: np.ndarray) -> Tuple[np.ndarray, Transform]:
        """Return an (H, W, 3) uint8 BGR image as (1, 3, h, w) float32 batch, and its Transform."""
        check_image(image)
        height, width = image.shape[:2]
        if self._transform is None or self._transform.image_size != (width, height):
            self._transform = make_transform(width, height, self._spec)
            self._canvas.fill(self._spec.pad_value)
        self._resize(image)
        cv2.split(self._canvas, self._planes)
        planes = self._planes if self._spec.color == 'bgr' else self._planes[::-1]
        for channel, plane in zip(range(3), planes):
            target = self._batch[0, channel]
            if self._gain[channel] == 1 and self._bias[channel] == 0:
                np.copyto(target, plane)
            else:
                np.multiply(plane, self._gain[channel], out=target)
                target += self._bias[channel]
        return self._batch, self._transform

    def _resize(self, image):
        (x, y), scale = self._transform.offset, self._transform.scale
        fitted = self._canvas[y:self._canvas.shape[0] - y or None,
                              x:self._canvas.shape[1] - x or None]
        width, height = (int(round(size * factor)) for size, factor in
                         zip(self._transform.image_size, scale))
        fitted = fitted[:height, :width]
        # Area averaging is exact only where no axis grows: OpenCV's stand-in shifts the frame.
        shrunk = min(scale) * _AREA_FROM_SHRINKAGE < 1 and max(scale) <= 1
        method = 'area' if shrunk else self._spec.interpolation
        cv2.resize(image, (width, height), dst=fitted, interpolation=_INTERPOLATION[method])
