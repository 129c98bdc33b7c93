# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of sources of frames."""
import abc
from typing import Iterator, Optional, Tuple

import cv2

from pose_ros.core.frame import Frame

ASSUMED_RATE = 30.0  # Hz, for sources without a frame rate


class FrameSource(abc.ABC):
    """Yields frames one by one. An iterator and a context manager, which closes the source.

    A Frame belongs to its reader. Its `index` also counts skipped frames and loops, `time_s` are
    seconds since the first frame, `name` is the file name of an image, else NAME_INDEX.

    frame_rate: frames per second, None if unknown. frame_count: frames of one pass, None if
    unknown or endless. live: a camera, whose frames are lost if they are not read in time;
    dropped counts those. has_depth: frames have depth. calibration: path of a file of the camera,
    '' without one.
    """

    frame_rate = None   # type: Optional[float]
    frame_count = None  # type: Optional[int]
    live = has_depth = False
    dropped = 0
    calibration = ''

    def __init__(self, loop: bool = False, size: Optional[Tuple[int, int]] = None):
        """`loop`: start again at the end. `size`: (width, height) px; 0 keeps the aspect."""
        self._loop, self._size = loop, size or (0, 0)
        self._index = 0

    def read(self) -> Optional[Frame]:
        """Return the next frame, None at the end; ImageError if the source fails."""
        item = self._repeat(self._read)
        if item is None:
            return None
        image, name = item
        frame = Frame(_fitted(image, self._size), self._time(), index=self._index, name=name)
        self._index += 1
        return frame

    def skip(self, count: int) -> None:
        """Skip frames, without decoding them if the source allows it."""
        for _ in range(count):
            if not self._repeat(self._skip):
                return
            self._index += 1

    def next_time(self) -> Optional[float]:
        """Return time_s of the next frame; None at the end, or without times of its own."""
        return self._index / self.frame_rate if self.frame_rate and not self.live else None

    @abc.abstractmethod
    def describe(self) -> str:
        """Return a short text: what is read."""

    def close(self) -> None:
        """Free the device or file; a second call does nothing."""

    @abc.abstractmethod
    def _read(self):
        """Return (image, name), or None at the end of a pass."""

    def _rewind(self) -> None:
        """Start a new pass; sources without an end do nothing."""

    def _skip(self) -> bool:
        return self._read() is not None

    def _time(self) -> float:
        return self._index / (self.frame_rate or ASSUMED_RATE)

    def _repeat(self, step):
        result = step()
        if not result and self._loop:
            self._rewind()
            result = step()
        return result or None

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.read, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _fitted(image, size):
    height, width = image.shape[:2]
    wanted = (size[0] or (_scaled(width, size[1], height) if size[1] else width),
              size[1] or (_scaled(height, size[0], width) if size[0] else height))
    if wanted == (width, height):
        return image
    shrinks = wanted[0] * wanted[1] < width * height
    return cv2.resize(image, wanted, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _scaled(length, numerator, denominator):
    return max(1, int(round(length * float(numerator) / denominator)))
