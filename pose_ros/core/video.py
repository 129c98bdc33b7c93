# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write frames to a video file."""
import os
from typing import Any, Optional

import cv2
import numpy as np

from pose_ros.core.errors import PoseRosError

_CODECS = {'.avi': 'MJPG', '.mp4': 'mp4v'}
_LONGEST_GAP = 5.0  # s; a longer pause is not filled with copies


class VideoRecorder:
    """Writes frames of irregular times at a constant rate, by repeating frames."""

    def __init__(self, path: str, rate: float):
        """Take an .avi or .mp4 path and the rate [Hz]; PoseRosError for other extensions."""
        self._codec = _CODECS.get(os.path.splitext(path)[1].lower(), '')
        if not self._codec:
            raise PoseRosError('cannot write a video to {!r}: its name must end in {}'.format(
                path, ' or '.join(sorted(_CODECS))))
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise PoseRosError('cannot write {!r}: there is no folder {}'.format(path, folder))
        self._path, self._rate = path, rate
        self._writer: Optional[cv2.VideoWriter] = None
        self._size: Any = None
        self._start: Optional[float] = None
        self.frames = 0

    def write(self, image: np.ndarray, time_s: Optional[float] = None) -> None:
        """Add an (H, W, 3) uint8 BGR image of time `time_s` (None: the next frame)."""
        if self._writer is None:
            self._size = (image.shape[1], image.shape[0])
            fourcc = cv2.VideoWriter_fourcc(*self._codec)
            self._writer = cv2.VideoWriter(self._path, fourcc, self._rate, self._size)
            if not self._writer.isOpened():
                raise PoseRosError('OpenCV cannot write {} ({}); try .avi'.format(
                    self._path, self._codec))
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        for _ in range(self._copies(time_s)):
            self._writer.write(image)
            self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _copies(self, time_s):
        if time_s is None:
            return 1
        if self._start is None:
            self._start = time_s
        due = int(round((time_s - self._start) * self._rate)) + 1 - self.frames
        if not 0 <= due <= _LONGEST_GAP * self._rate:
            self._start = time_s - self.frames / self._rate
            due = 1
        return due
