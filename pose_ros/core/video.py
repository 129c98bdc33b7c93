# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write frames to a video file."""
import contextlib
import os
from typing import Any, Optional

import cv2
import numpy as np

from pose_ros.core.errors import cannot_write, OutputError, PoseRosError
from pose_ros.core.files import atomic_file, check_writable

_CODECS = {'.avi': 'MJPG', '.mp4': 'mp4v'}
_LONGEST_GAP = 5.0  # s; a longer pause is not filled with copies
_FINEST_RATE = 65535  # largest numerator of the rate in an MPEG-4 stream
_LEAST_SPACE = 1 << 16  # bytes; OpenCV does not report a full disk


class VideoRecorder:
    """Writes frames of irregular times at a constant rate: each is repeated until the next one.

    The file appears under its name when it is closed, and whole. OutputError if it cannot be
    written; then nothing is left.
    """

    def __init__(self, path: str, rate: float, longest_gap: float = _LONGEST_GAP):
        """Take an .avi or .mp4 path and the rate [Hz]; PoseRosError for other extensions.

        The rate is rounded to what the formats hold. A pause above `longest_gap` [s] is one frame
        long.
        """
        self._ending = os.path.splitext(path)[1].lower()
        if self._ending not in _CODECS:
            raise PoseRosError('cannot write a video to {!r}: its name must end in {}'.format(
                path, ' or '.join(sorted(_CODECS))))
        try:
            check_writable(path)
        except OSError as error:
            raise cannot_write(path, error)
        self._path, self._rate, self._longest_gap = path, _rounded(rate), longest_gap
        self._file = contextlib.ExitStack()
        self._part = ''
        self._writer: Any = None
        self._size: Any = None
        self._last: Any = None
        self._start: Optional[float] = None
        self.frames = 0

    def write(self, image: np.ndarray, time_s: Optional[float] = None) -> None:
        """Add an (H, W, 3) uint8 BGR image of time `time_s` (None: the next frame)."""
        if self._writer is None:
            self._size = (image.shape[1], image.shape[0])
            self._open()
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        due = self._due(time_s)
        for copy in range(due):
            self._writer.write(image if copy == due - 1 else self._last)
        self.frames += due
        self._last = image
        if _is_full(self._part):
            self._abandon('the disk is full')

    def close(self) -> None:
        """Finish the file, if there was a frame; OutputError unless all of it was written."""
        if self._writer is None:
            return
        self._writer.release()
        if not _is_whole(self._part, self._ending):
            self._abandon('it is incomplete after {} frames; look for a full disk'.format(
                self.frames))
        self._writer = None
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self._path, error)

    def discard(self) -> None:
        """Delete what was written."""
        with contextlib.suppress(OutputError):
            if self._writer is not None:
                self._abandon('discarded')

    def _open(self):
        try:
            self._part = self._file.enter_context(atomic_file(self._path, self._ending))
        except OSError as error:
            raise cannot_write(self._path, error)
        fourcc = cv2.VideoWriter_fourcc(*_CODECS[self._ending])
        self._writer = cv2.VideoWriter(self._part, fourcc, self._rate, self._size)
        if not self._writer.isOpened():
            self._abandon('OpenCV has no encoder {} for {} x {} at {:g} Hz; try .avi'.format(
                _CODECS[self._ending], self._size[0], self._size[1], self._rate))

    def _abandon(self, reason):
        self._writer.release()
        self._writer = None
        with self._file:
            raise OutputError('cannot write {}: {}'.format(self._path, reason))

    def _due(self, time_s):
        """Return the frames to write up to an image of this time."""
        if time_s is None:
            return 1
        if self._start is None:
            self._start = time_s
        due = int(round((time_s - self._start) * self._rate)) + 1 - self.frames
        if not 0 <= due <= self._longest_gap * self._rate:
            self._start = time_s - self.frames / self._rate
            due = 1
        return due


def _rounded(rate):
    """Round a rate to the decimals that OpenCV's fraction for it may have."""
    for digits in (3, 2, 1):
        if rate * 10 ** digits <= _FINEST_RATE:
            return round(rate, digits)
    return float(round(rate))


def _is_full(path):
    disk = os.statvfs(os.path.dirname(path))
    free = disk.f_bavail if os.geteuid() else disk.f_bfree
    return disk.f_blocks > 0 and free * disk.f_frsize < _LEAST_SPACE


def _is_whole(path, ending):
    """Return whether the parts of an AVI or MP4 file, by their own lengths, fill it exactly."""
    size, position, names = os.path.getsize(path), 0, []
    with open(path, 'rb') as stream:
        while position < size:
            stream.seek(position)
            head = stream.read(16)
            if ending == '.avi':
                length, name = int.from_bytes(head[4:8], 'little') + 8, head[:4]
                length += length % 2
            else:
                length, name = int.from_bytes(head[:4], 'big'), head[4:8]
                if length == 1:
                    length = int.from_bytes(head[8:16], 'big')
            names.append(name)
            position += max(8, length)
    return position == size and (b'RIFF' if ending == '.avi' else b'moov') in names
