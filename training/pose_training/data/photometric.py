# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random changes of pixel values, like those of cameras and light."""
import functools
from typing import Annotated, NamedTuple

import cv2
import numpy as np

from pose_training.errors import ConfigError


class PhotometricRange(NamedTuple):
    """Probabilities and limits of changes of pixel values."""

    light: Annotated[float, 'probability of changed brightness, contrast and gamma'] = .8
    brightness: Annotated[float, '+- added to values of 0..255'] = 40.
    contrast: Annotated[float, '+- factor about the mean'] = .35
    gamma: Annotated[float, '+- logarithm of the exponent'] = .4
    color: Annotated[float, 'probability of changed hue and saturation'] = .5
    hue: Annotated[float, '+- in units of OpenCV, 180 for a full circle'] = 12.
    saturation: Annotated[float, '+- factor'] = .4
    gray: Annotated[float, 'probability of a gray image'] = .08
    blur: Annotated[float, 'probability of blur'] = .15
    blur_sigma: Annotated[float, 'largest standard deviation of it [px]'] = 2.5
    noise: Annotated[float, 'probability of noise'] = .15
    noise_sigma: Annotated[float, 'largest standard deviation of it, of values of 0..255'] = 18.
    dark: Annotated[float, 'probability of low light: dim and noisy'] = .06
    jpeg: Annotated[float, 'probability of JPEG artifacts'] = .2
    jpeg_quality: Annotated[int, 'lowest JPEG quality, 1 to 100'] = 20
    erase: Annotated[float, 'probability of a gray rectangle'] = .15
    erase_extent: Annotated[float, 'its largest side, as a share of that of the image'] = .3


_PROBABILITIES = ('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase',
                  'erase_extent')


def check_photometric(ranges: PhotometricRange) -> None:
    """Raise ConfigError for invalid ranges."""
    for key, value in ranges._asdict().items():
        if value < 0 or (key in _PROBABILITIES and value > 1):
            raise ConfigError('photometric, {}: {} is not {}'.format(
                key, value, 'between 0 and 1' if key in _PROBABILITIES else '0 or more'))
    if not 1 <= ranges.jpeg_quality <= 100:
        raise ConfigError('photometric, jpeg_quality: {} is not between 1 and 100'.format(
            ranges.jpeg_quality))


def degrade(image: np.ndarray, ranges: PhotometricRange,
            random: np.random.Generator) -> np.ndarray:
    """Return a changed copy of an (h, w, 3) uint8 BGR image with the same geometry."""
    steps = ((ranges.light, _light), (ranges.color, _color), (ranges.gray, _gray),
             (ranges.blur, _blur), (ranges.dark, _dark), (ranges.noise, _noise),
             (ranges.jpeg, _jpeg), (ranges.erase, _erase))
    for probability, step in steps:
        if random.random() < probability:
            image = step(image, ranges, random)
    return image


def _light(image, ranges, random):
    levels = np.arange(256, dtype=np.float32) / 255
    levels = levels ** np.exp(random.uniform(-ranges.gamma, ranges.gamma)) * 255
    levels = (levels - 128) * (1 + random.uniform(-ranges.contrast, ranges.contrast)) + 128
    levels += random.uniform(-ranges.brightness, ranges.brightness)
    return cv2.LUT(image, np.rint(levels).clip(0, 255).astype(np.uint8))


def _color(image, ranges, random):
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    levels = np.arange(256)
    tables = np.stack([
        np.rint(levels + random.uniform(-ranges.hue, ranges.hue)) % 180,
        levels * (1 + random.uniform(-ranges.saturation, ranges.saturation)), levels], -1)
    hsv = cv2.LUT(hsv, np.rint(tables).clip(0, 255).astype(np.uint8)[None])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def _gray(image, ranges, random):
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def _blur(image, ranges, random):
    sigma = random.uniform(.4, ranges.blur_sigma)
    if random.random() < .5:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    # Motion blur, as on a robot; a kernel of even length would move the image.
    length = int(round(3 * sigma)) // 2 * 2 + 1
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0, np.pi)
    center = (length - 1) / 2
    reach = center * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(int(round(v)) for v in center + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1)
    return cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1))


def _noise(image, ranges, random):
    return _with_noise(image, random.uniform(2, ranges.noise_sigma), random)


def _dark(image, ranges, random):
    dim = image * np.float32(random.uniform(.12, .45))
    return _with_noise(dim, random.uniform(2, 8), random)


def _with_noise(image, sigma, random):
    # New normal numbers would take more time than all other changes of a crop.
    pool = _normal_numbers(4 * image.size)
    start = int(random.integers(len(pool) - image.size))
    noisy = pool[start:start + image.size].reshape(image.shape) * np.float32(sigma)
    noisy += image
    return np.rint(noisy, out=noisy).clip(0, 255, out=noisy).astype(np.uint8)


@functools.lru_cache(maxsize=4)
def _normal_numbers(count):
    return np.random.default_rng(0).standard_normal(count, np.float32)


def _jpeg(image, ranges, random):
    quality = int(random.integers(ranges.jpeg_quality, max(90, ranges.jpeg_quality + 1)))
    _, encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)


def _erase(image, ranges, random):
    height, width = image.shape[:2]
    w, h = (int(side * random.uniform(0, ranges.erase_extent)) for side in (width, height))
    x, y = int(random.integers(width - w + 1)), int(random.integers(height - h + 1))
    image = image.copy()
    image[y:y + h, x:x + w] = random.integers(256, size=3)
    return image
