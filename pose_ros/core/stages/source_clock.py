# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time from frame to frame of one source, for stages that keep state."""
import math

_UNSTAMPED_INTERVAL = 1.0 / 30  # s, assumed between frames without a time
_DISORDER = 0.1  # s; a frame this much older than the last one came late, its time did not jump
_LONGEST_GAP = 10.0  # s


class SourceClock:
    """Measures the steps between the frames of a source.

    `jump` describes what was wrong with the last one: time ran backwards or far forwards, or
    frames began or ceased to have a time. Else it is ''.
    """

    def __init__(self):
        """Start without a frame."""
        self._last, self.jump = None, ''

    def step(self, time_s: float) -> float:
        """Return the seconds since the last frame; 0 for the first one and after a jump.

        time_s NaN: unknown. If all are, frames follow each other at 30 Hz.
        """
        last, self._last, self.jump = self._last, time_s, ''
        if last is None:
            return 0.0
        if math.isnan(time_s) and math.isnan(last):
            return _UNSTAMPED_INTERVAL
        seconds = time_s - last
        if 0 <= seconds <= _LONGEST_GAP:
            return seconds
        if -_DISORDER <= seconds < 0:
            self._last = last
            return 0.0
        if math.isnan(seconds):
            self.jump = 'stamps {}'.format('end' if math.isnan(time_s) else 'begin')
        elif seconds < 0:
            self.jump = 'time jumped back by {:.3f} s'.format(-seconds)
        else:
            self.jump = 'no frame for {:.3f} s'.format(seconds)
        return 0.0
