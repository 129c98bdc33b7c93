# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time the default pair, in fp32 and int8, against bottom_up, with one and four people in view.

    tools/env.sh python benchmark/people.py [--backend openvino] [--cpu-time]

All run in one process and take turns, so that what else the machine does hits them alike. Ratios
are medians of each turn's time over that of the first row. Four people are the default image,
four times smaller each. With an interval of 5 the mean of five frames counts.
"""
import argparse
import statistics
import time

import cv2
import numpy as np

from common import load_frames, machine, print_table

from pose_ros.core import PoseEstimator
from pose_ros.core.bundled import BOTTOM_UP
from pose_ros.core.frame import Frame

_INTERVAL = 5
_PRECISIONS = ('fp32', 'int8')


class Case:
    """One row of the table: an estimator, a frame and the interval of the detector."""

    def __init__(self, name, estimator, frame, interval=1):
        """Take the parts; the estimator may be shared with other cases."""
        self.name, self.interval = name, interval
        # A source of its own: the boxes of another case are not followed.
        self._estimator, self._frame = estimator, Frame(frame, source=name)
        self.people = estimator(self._frame).count

    def seconds(self, clock):
        """Return the time of one frame, the mean of an interval."""
        if self.interval > 1:
            self._estimator.configure(detector_interval=self.interval)
        start = clock()
        for _ in range(self.interval):
            self._estimator(self._frame)
        elapsed = clock() - start
        if self.interval > 1:
            self._estimator.configure(detector_interval=1)
        return elapsed / self.interval


def cases(options):
    """Open the models, and list what is timed; the first is the unit."""
    one = load_frames(options.images)[-1]  # the detector finds one box in it
    four = cv2.resize(np.tile(one, (2, 2, 1)), one.shape[1::-1], interpolation=cv2.INTER_AREA)
    engine = {'backend': options.backend, 'threads': options.threads}
    found = []
    if not options.pair_only:
        found.append(Case(BOTTOM_UP, PoseEstimator(BOTTOM_UP, **engine), one))
    for precision in _PRECISIONS:
        pair = PoseEstimator(batch=options.batch, precision=precision, **engine)
        found += [Case('pair {}, {}'.format(precision, number), pair, frame)
                  for number, frame in (('1 person', one), ('4 people', four))]
        found.append(Case('pair {}, 1 person, interval {}'.format(precision, _INTERVAL), pair, one,
                          _INTERVAL))
    return found


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--backend', default='openvino', choices=('onnxruntime', 'openvino'))
    parser.add_argument('--threads', type=int, default=0, help="0: the engine's own choice")
    parser.add_argument('--batch', type=int, default=4, help='crops in one run')
    parser.add_argument('--rounds', type=int, default=30)
    parser.add_argument('--images', nargs='*', default=[], help='an image of one person')
    parser.add_argument('--pair-only', action='store_true', help='leave bottom_up out')
    parser.add_argument('--cpu-time', action='store_true',
                        help='count the CPU time of all threads, for a machine that is busy')
    options = parser.parse_args()
    cv2.setNumThreads(1)
    clock = time.process_time if options.cpu_time else time.perf_counter
    timed = cases(options)
    turns = [[case.seconds(clock) for case in timed] for _ in range(options.rounds + 2)][2:]
    print(machine())
    print_table(('case ({})'.format(options.backend), 'people found', 'ms', 'of the first'), [
        (case.name, str(case.people),
         '{:.1f}'.format(1e3 * statistics.median(turn[place] for turn in turns)),
         '{:.2f}'.format(statistics.median(turn[place] / turn[0] for turn in turns)))
        for place, case in enumerate(timed)])


if __name__ == '__main__':
    main()
