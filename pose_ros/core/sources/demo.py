# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People to look at without camera or file: a slow pan and zoom over free pictures."""
import math

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.sources.source import FrameSource

WIDTH, HEIGHT = 640, 480
_PICTURES = ('astronaut', 'camera')  # one person each, public domain, shipped with scikit-image
_FRAMES_EACH = 300
_ZOOM = 0.6        # at its closest, how much more than the whole picture
_PAN = (0.1, 0.15)  # at its closest, sideways and upwards, in parts of the picture
_BACKGROUND = (60, 60, 60)


class Demo(FrameSource):
    """A picture of 10 s each at 30 Hz; a frame depends on its index alone."""

    frame_rate = 30.0
    frame_count = _FRAMES_EACH * len(_PICTURES)

    def __init__(self, spec: str = 'demo', loop=False, size=None, rate=None):
        """Load the pictures; ImageError if scikit-image is absent."""
        super(Demo, self).__init__(loop, size)
        self._pictures, self._position = _load(), 0

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether the demo is meant."""
        return spec == 'demo'

    def describe(self) -> str:
        """Name the pictures."""
        return 'demo (pictures: {})'.format(', '.join(_PICTURES))

    def _read(self):
        position = self._position
        if not self._skip():
            return None
        number, offset = divmod(position, _FRAMES_EACH)
        image = _view(self._pictures[number], float(offset) / _FRAMES_EACH)
        return image, 'demo_{:06d}'.format(position)

    def _skip(self):
        if self._position == self.frame_count:
            return False
        self._position += 1
        return True

    def _rewind(self):
        self._position = 0


def _load():
    try:
        from skimage import data
        pictures = [getattr(data, name)() for name in _PICTURES]
    except (ImportError, OSError) as error:
        raise ImageError(
            'the demo needs the pictures of scikit-image ({}): pip install scikit-image, or give '
            'an image, a video or a camera instead'.format(error)) from error
    return [np.ascontiguousarray(picture[..., ::-1]) if picture.ndim == 3 else
            cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) for picture in pictures]


def _view(picture, phase):
    """Show the whole picture at phase 0, its upper part closely at 0.5, wandering sideways."""
    height, width = picture.shape[:2]
    closeness = (1 - math.cos(2 * math.pi * phase)) / 2
    scale = min(float(WIDTH) / width, float(HEIGHT) / height) * (1 + _ZOOM * closeness)
    x = width * (0.5 + _PAN[0] * closeness * math.sin(4 * math.pi * phase))
    y = height * (0.5 - _PAN[1] * closeness)
    matrix = np.float64([[scale, 0, WIDTH / 2.0 - scale * x],
                         [0, scale, HEIGHT / 2.0 - scale * y]])
    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=_BACKGROUND)
