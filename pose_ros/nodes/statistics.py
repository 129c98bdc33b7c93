# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Counts and timings of one camera's frames."""
import collections
import time
from typing import Dict

import numpy as np

_WINDOW = 200  # frames over which timings are summed up


class Statistics:
    """Counts frames: received = processed + dropped + failed + the one in hand.

    Each counter is written by one thread only (received and dropped by the executor's, the others
    by the worker's), so none needs a lock.
    """

    def __init__(self):
        """Start from zero."""
        self.received = self.processed = self.dropped = self.failed = 0
        self.people = 0
        self.time_jumps = 0
        self.last_error = ''
        self.last_error_time = self.last_received = None
        self._timings: Dict[str, collections.deque] = {}
        self._rate_counts = {}

    def record(self, stage: str, seconds: float) -> None:
        """Add one timing of a stage."""
        self._timings.setdefault(stage, collections.deque(maxlen=_WINDOW)).append(seconds)

    def record_error(self, message: str) -> None:
        """Remember why a frame failed."""
        self.failed += 1
        self.last_error, self.last_error_time = message, time.monotonic()

    def record_received(self) -> None:
        """Count an incoming frame."""
        self.received += 1
        self.last_received = time.monotonic()

    def silence(self, since: float) -> float:
        """Seconds since the last frame, or since `since` (time.monotonic) if none came after."""
        return time.monotonic() - max(since, self.last_received or since)

    def recent_error(self, seconds: float) -> str:
        """Return the last error if it is not older than this, else ''."""
        recent = self.last_error_time and time.monotonic() - self.last_error_time < seconds
        return self.last_error if recent else ''

    def timings(self) -> Dict[str, str]:
        """Median and 95th percentile of each stage in ms, as text."""
        result = {}
        for stage, window in list(self._timings.items()):
            milliseconds = 1000 * np.array(window)
            result[stage] = '{:.2f} (p95 {:.2f})'.format(*np.percentile(milliseconds, (50, 95)))
        return result

    def rates(self) -> Dict[str, float]:
        """Frames per second of each counter since the last call."""
        now = time.monotonic()
        rates = {}
        for name in ('received', 'processed', 'dropped'):
            count = getattr(self, name)
            last_time, last_count = self._rate_counts.get(name, (now, count))
            rates[name] = (count - last_count) / (now - last_time) if now > last_time else 0.0
            self._rate_counts[name] = (now, count)
        return rates
