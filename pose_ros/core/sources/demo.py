# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A built-in source of people: a slow pan and zoom over public-domain images."""
import math

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.sources.source import FrameSource

WIDTH, HEIGHT = 640, 480
_IMAGES = ('astronaut', 'camera')  # one person each, public domain, shipped with scikit-image
_FRAMES_EACH = 300
_ZOOM = 0.6        # additional zoom at the closest view
_PAN = (0.1, 0.15)  # shift right and up at the closest view, in widths and heights
_BACKGROUND = (60, 60, 60)


class DemoSource(FrameSource):
    """Shows each image for 10 s at 30 Hz; a frame depends only on its index."""

    frame_rate = 30.0
    frame_count = _FRAMES_EACH * len(_IMAGES)

    def __init__(self, spec: str = 'demo', loop=False, size=None, rate=None,
                 max_pixels=None):
        """Load the images; ImageError if scikit-image is missing."""
        super(DemoSource, self).__init__(loop, size)
        self._images, self._position = _load(), 0

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is the word demo."""
        return spec == 'demo'

    def describe(self) -> str:
        """Return the names of the images."""
        return 'demo (images: {})'.format(', '.join(_IMAGES))

    def _read(self):
        position = self._position
        if not self._skip():
            return None
        number, offset = divmod(position, _FRAMES_EACH)
        image = _view(self._images[number], float(offset) / _FRAMES_EACH)
        return image, 'demo_{:06d}'.format(position)

    def _skip(self):
        if self._position == self.frame_count:
            return False
        self._position += 1
        return True

    def _rewind(self):
        self._position = 0


def sample_image() -> np.ndarray:
    """Return (H, W, 3) uint8 BGR, an astronaut in front of a flag; ImageError if it is missing."""
    return _load(_IMAGES[:1])[0]


def _load(names=_IMAGES):
    try:
        from skimage import data
        images = [getattr(data, name)() for name in names]
    except (ImportError, OSError) as error:
        raise ImageError(
            'the demo needs the images of scikit-image ({}): pip install scikit-image, or name an '
            'image, a video or a camera'.format(error)) from error
    return [np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else
            cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) for image in images]


def _view(image, phase):
    """Return the whole image at phase 0, a close view of its upper part at 0.5."""
    height, width = image.shape[:2]
    closeness = (1 - math.cos(2 * math.pi * phase)) / 2
    scale = min(float(WIDTH) / width, float(HEIGHT) / height) * (1 + _ZOOM * closeness)
    x = width * (0.5 + _PAN[0] * closeness * math.sin(4 * math.pi * phase))
    y = height * (0.5 - _PAN[1] * closeness)
    matrix = np.float64([[scale, 0, WIDTH / 2.0 - scale * x],
                         [0, scale, HEIGHT / 2.0 - scale * y]])
    return cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=_BACKGROUND)
