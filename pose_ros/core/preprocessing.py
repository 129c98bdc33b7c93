# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of images to the float batch of a network."""
import math

import cv2
import numpy as np

from pose_ros.core.card import InputSpec
from pose_ros.core.errors import CardError, ModelError
from pose_ros.core.regions import Region, Transform, fit_region, whole

_INTERPOLATION = {'linear': cv2.INTER_LINEAR, 'cubic': cv2.INTER_CUBIC, 'area': cv2.INTER_AREA}
# Linear and cubic look at 2 or 4 source pixels only: beyond this shrinkage they would alias.
_AREA_FROM_SHRINKAGE = 4
_REDUCE_FROM_SHRINKAGE = 2  # of a warp, which has no area interpolation
_READ_AROUND = 4  # px; more than cubic reads beside a place, which is rounded
_MOST_VALUES = 1 << 28  # of a batch, which then has 1 GiB


class Preprocessor:
    """Writes regions into a batch, in buffers that are allocated once.

    Fresh arrays of this size cost more in page faults than all the arithmetic; the rows of
    `batch` (N, 3, h, w) float32 are overwritten by the next regions.
    """

    def __init__(self, spec: InputSpec, batch_size: int = 1):
        """Allocate the buffers for batches of one network input; ModelError for an absurd one."""
        if not 0 < batch_size * 3 * spec.height * spec.width <= _MOST_VALUES:
            raise ModelError('the network takes {} images of {} x {} per run; 1 image up to {} '
                             'values are possible: export it with another batch'.format(
                                 batch_size, spec.width, spec.height, _MOST_VALUES))
        self._spec = spec
        self.batch = np.zeros((batch_size, 3, spec.height, spec.width), np.float32)
        self._canvas = np.empty((spec.height, spec.width, 3), np.uint8)
        # OpenCV warps four channels faster than three (measured: 4.10 and 5.0).
        self._warped = np.empty((spec.height, spec.width, 4), np.uint8)
        self._part = np.empty(0, np.uint8)
        self._planes = [np.empty((spec.height, spec.width), np.uint8) for _ in range(4)]
        self._gain = np.array([spec.scale / std for std in spec.std], np.float32)
        self._bias = np.array([-mean / std for mean, std in zip(spec.mean, spec.std)], np.float32)
        self._bordered = None  # the part of the canvas that the present borders leave free

    def write(self, image: np.ndarray, region: Region, row: int) -> Transform:
        """Fit a region of an (H, W, 3) uint8 BGR image into batch[row]; return how."""
        transform = fit_region(region, self._spec)
        height, width = image.shape[:2]
        if transform.fitted and region.center == whole(0, width, height).center \
                and tuple(region.size) == (width, height):
            self._resize(image, transform)
            self._normalize(self._canvas, self.batch[row])
        else:
            self._warp(image, transform)
            self._normalize(self._warped, self.batch[row])
        return transform

    def _resize(self, image, transform):
        left, top, width, height = transform.fitted
        if transform.fitted != self._bordered:
            self._canvas.fill(self._spec.pad_value)
            self._bordered = transform.fitted
        fitted = self._canvas[top:top + height, left:left + width]
        # Area averaging is exact only where no axis grows: OpenCV's stand-in shifts the image.
        scales = float(width) / image.shape[1], float(height) / image.shape[0]
        shrunk = min(scales) * _AREA_FROM_SHRINKAGE < 1 and max(scales) <= 1
        method = 'area' if shrunk else self._spec.interpolation
        cv2.resize(image, (width, height), dst=fitted, interpolation=_INTERPOLATION[method])
        if transform.mirrored:
            fitted[:] = fitted[:, ::-1].copy()

    def _warp(self, image, transform):
        inverse = transform.inverse
        (a, b, _), (c, d, _) = inverse.tolist()
        shrinkage = math.sqrt(abs(a * d - b * c))
        cut = _reduced if shrinkage >= _REDUCE_FROM_SHRINKAGE else _cut
        image, inverse = cut(image, inverse, int(shrinkage), self._canvas.shape)
        method = 'cubic' if self._spec.interpolation == 'cubic' else 'linear'
        cv2.warpAffine(self._four_channels(image), inverse, self._canvas.shape[1::-1],
                       dst=self._warped, flags=_INTERPOLATION[method] | cv2.WARP_INVERSE_MAP,
                       borderMode=cv2.BORDER_CONSTANT, borderValue=(self._spec.pad_value,) * 4)

    def _four_channels(self, image):
        height, width = image.shape[:2]
        if self._part.size < 4 * height * width:
            self._part = np.empty(4 * height * width, np.uint8)
        part = self._part[:4 * height * width].reshape(height, width, 4)
        return cv2.cvtColor(image, cv2.COLOR_BGR2BGRA, dst=part)

    def _normalize(self, source, target):
        cv2.split(source, self._planes[:source.shape[2]])
        planes = self._planes[:3] if self._spec.color == 'bgr' else self._planes[2::-1]
        for channel, plane in enumerate(planes):
            if self._gain[channel] == 1 and self._bias[channel] == 0:
                np.copyto(target[channel], plane)
            else:
                np.multiply(plane, self._gain[channel], out=target[channel])
                target[channel] += self._bias[channel]


def check_whole(spec: InputSpec, kind: np.dtype, where: str) -> None:
    """Raise CardError if an input of whole numbers of a type cannot hold what a card yields."""
    if kind.kind == 'f':
        return
    gain = np.array([spec.scale / std for std in spec.std])
    bias = np.array([0 - mean / std for mean, std in zip(spec.mean, spec.std)])
    values, limits = np.concatenate([bias, bias + 255 * gain]), np.iinfo(kind)
    broken = abs(np.concatenate([gain, bias]) - np.rint(np.concatenate([gain, bias]))).max() > 1e-6
    if broken or values.min() < limits.min - .5 or values.max() > limits.max + .5:
        raise CardError('{}: the input of the network has the type {}, but the card yields values '
                        'from {:g} to {:g}{}; pixels as they are have scale 1, mean {} and std '
                        '1'.format(where, kind, values.min(), values.max(),
                                   ' that are no whole numbers' if broken else '',
                                   0 if limits.max >= 255 else 128))


def _bounds(inverse, canvas):
    """Return the least and the largest x and y [px] of what is one pixel larger than a canvas."""
    height, width = canvas[:2]
    ranges = [(min(-a, a * width) + min(-b, b * height) + shift,
               max(-a, a * width) + max(-b, b * height) + shift)
              for a, b, shift in inverse.tolist()]
    return zip(*ranges)


def _cut(image, inverse, _, canvas):
    """Cut out what a warp reads; return image and map. Outside of the image nothing changes."""
    low, high = _bounds(inverse, canvas)
    low = [max(int(least) - _READ_AROUND, 0) for least in low]
    high = [min(int(most) + _READ_AROUND, side) for most, side in zip(high, image.shape[1::-1])]
    if high[0] <= low[0] or high[1] <= low[1]:
        return image[:1, :1], inverse  # far outside: nothing of it is read
    inverse[:, 2] -= low
    return image[low[1]:high[1], low[0]:high[0]], inverse


def _reduced(image, inverse, factor, canvas):
    """Cut out what a warp reads and average it over factor x factor px; return image and map."""
    low, high = map(np.array, _bounds(inverse, canvas))
    # Whole blocks, counted from the image's origin, so that averages do not depend on the crop.
    low = np.maximum(low // factor * factor, 0).astype(int)
    high = np.minimum(high + factor, image.shape[1::-1]).astype(int)
    size = (high - low) // factor
    if min(size) < 1:
        return _cut(image, inverse, factor, canvas)
    part = image[low[1]:low[1] + size[1] * factor, low[0]:low[0] + size[0] * factor]
    small = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    shift = (inverse[:, 2] - low + 0.5) / factor - 0.5
    return small, np.concatenate([inverse[:, :2] / factor, shift[:, None]], 1)


def prepare_image(image: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Return the whole of an (H, W, 3) uint8 BGR image as a new network input (1, 3, h, w)."""
    preprocessor = Preprocessor(spec)
    preprocessor.write(image, whole(0, image.shape[1], image.shape[0]), 0)
    return preprocessor.batch
