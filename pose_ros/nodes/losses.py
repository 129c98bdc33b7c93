# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How many images were published, but never reached their subscription."""
import collections
from typing import Any, Dict

_LONGEST_GAP = 1000  # messages; a longer one is another publisher
_INTERVALS = 50  # between stamps, from which the period of a camera is estimated
_LEAST_INTERVALS = 10
_LONGEST_PAUSE = 5.0  # s


class LossCounter:
    """Counts gaps in the publisher's sequence numbers; without them, gaps between stamps.

    The numbers come from the middleware (Fast DDS and Zenoh have them, Cyclone DDS has not).
    Between stamps the period is the shortest tenth of the last intervals: an estimate.
    """

    def __init__(self):
        """Start without a message."""
        self._sequences: Dict[bytes, int] = {}
        self._last_stamp = None
        self._intervals: 'collections.deque' = collections.deque(maxlen=_INTERVALS)

    def restart(self) -> None:
        """Forget the last messages: what was published without a subscription is not lost."""
        self._sequences.clear()
        self._last_stamp = None

    def add(self, info: Dict[str, Any], stamp: int) -> int:
        """Return how many messages are missing before this one.

        `info` is rclpy's message info, `stamp` [ns] that of the image.
        """
        number = info.get('publication_sequence_number')
        if number is None or number >= 2 ** 64 - 1:  # how a middleware without them says so
            return self._by_stamp(stamp)
        publisher = bytes((info.get('publisher_gid') or {}).get('data', b''))
        last = self._sequences.get(publisher)
        self._sequences[publisher] = number
        missing = 0 if last is None else number - last - 1
        return missing if 0 < missing <= _LONGEST_GAP else 0

    def _by_stamp(self, stamp):
        last, self._last_stamp = self._last_stamp, stamp
        interval = 0 if last is None else stamp - last
        if not 0 < interval < _LONGEST_PAUSE * 1e9:
            return 0
        self._intervals.append(interval)
        if len(self._intervals) < _LEAST_INTERVALS:
            return 0
        period = sorted(self._intervals)[len(self._intervals) // 10]
        return max(0, int(round(float(interval) / period)) - 1)
