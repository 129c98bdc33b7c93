# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Counts of one camera's frames, and timings."""
import collections
import time
from typing import Dict

import numpy as np

_WINDOW = 200  # values that a summary covers


class Timings:
    """The last durations of each step, by name."""

    def __init__(self):
        """Start empty."""
        self._timings: Dict[str, collections.deque] = {}

    def record(self, name: str, seconds: float) -> None:
        """Add one duration of a step."""
        self._timings.setdefault(name, collections.deque(maxlen=_WINDOW)).append(seconds)

    def timings(self) -> Dict[str, str]:
        """Median and 95th percentile of each step in ms, as text."""
        result = {}
        for name, window in list(self._timings.items()):
            milliseconds = 1000 * np.array(window)
            result[name] = '{:.2f} (p95 {:.2f})'.format(*np.percentile(milliseconds, (50, 95)))
        return result


class Statistics(Timings):
    """Counts frames: received = processed + dropped + failed + the current one.

    `lost` were published, but not received.

    Each counter is written by one thread only (received, lost, dropped and time_jumps by
    the executor's, the others by the worker's), so none needs a lock.
    """

    def __init__(self):
        """Start from zero."""
        super(Statistics, self).__init__()
        self.received = self.processed = self.dropped = self.failed = self.lost = 0
        self.people = 0
        self.time_jumps = 0
        self.last_error = ''
        self.last_error_time = self.last_received = None
        self._rate_counts = {}

    def record_error(self, message: str) -> None:
        """Count a failed frame, and keep the reason."""
        self.last_error, self.last_error_time = message, time.monotonic()
        self.failed += 1  # last: diagnostics that show the count show the reason, too

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

    def rates(self) -> Dict[str, float]:
        """Frames per second of each counter since the last call."""
        now = time.monotonic()
        rates = {}
        for name in ('received', 'processed', 'dropped', 'lost'):
            count = getattr(self, name)
            last_time, last_count = self._rate_counts.get(name, (now, count))
            rates[name] = (count - last_count) / (now - last_time) if now > last_time else 0.0
            self._rate_counts[name] = (now, count)
        return rates
