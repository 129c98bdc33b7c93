# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames at the times of their source, as a camera would send them."""
from typing import Optional

from pose_ros.core.frame import Frame
from pose_ros.core.sources.source import FrameSource

_LONGEST_LAG = 1.0  # s; after a longer one (a stopped process) a video resumes, without a skip


class Pacer:
    """Tells when the next frame of a source is due, and skips those that are late.

    skipped: how many it has skipped.
    """

    def __init__(self, source: FrameSource):
        """Take the source."""
        self._source = source
        self._origin, self._before = 0.0, None  # type: float, Optional[float]
        self.skipped = 0

    def is_due(self, now: float) -> bool:
        """Return whether a frame is due at the time `now` [s] of any clock."""
        due = self._source.next_time()
        while due is not None:
            first = self._before is None
            gap = due - (due if self._before is None else self._before)
            late = now - self._origin - due
            if first or not -gap - _LONGEST_LAG < late <= _LONGEST_LAG:
                self._origin, late = now - due, 0.0
            if first or late < gap:
                # Half a frame early counts as due: the calls of a timer scatter.
                return late >= -0.5 / (self._source.frame_rate or 1.0)
            self._source.skip(1)
            self.skipped += 1
            self._before, due = due, self._source.next_time()
        return True  # a camera, images, or the end

    def read(self) -> Optional[Frame]:
        """Return the next frame, as FrameSource.read."""
        self._before = self._source.next_time()
        return self._source.read()
