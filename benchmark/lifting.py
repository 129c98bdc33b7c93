# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Error of positions of made-up bodies before a wall, measured with a noisy sensor, and times.

    tools/env.sh python benchmark/lifting.py [--wall METERS]

No network runs: the keypoints are exact, or have a known error. The bodies and the sensor are
those of test/bodies.py, 640 x 480 px with a focal length of 525 px; the wall is 1.5 m behind them
by default. The truth is the surface that is seen at the true keypoint.
"""
import argparse
import os
import sys
import time

import numpy as np

from common import machine, percentiles, print_table

from pose_ros.core.depth import depth_in_meters
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people
from pose_ros.core.stages import Lifting

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'test'))
import bodies

DISTANCES = (1.5, 2.0, 3.0, 4.0, 5.0)  # m
ERRORS = (0.0, 2.0, 4.0)  # px, standard deviation of keypoints
TURNS = range(0, 360, 45)  # degrees
ROUNDS = 3
IMAGE = np.zeros((bodies.CAMERA.height, bodies.CAMERA.width, 3), np.uint8)


def _lifted(stage, people, samples):
    frame = Frame(IMAGE, camera=bodies.CAMERA, depth=depth_in_meters(samples, 'depth'))
    start = time.thread_time()
    found, = stage([frame], [people])
    return found.positions, 1e3 * (time.thread_time() - start)


def _row(distance, error, wall, random):
    away, sides, counts = [], [], np.zeros(3, int)
    for degrees in TURNS:
        points = bodies.turned(bodies.STANDING, degrees) + (0, 0, distance)
        exact = bodies.rendered(points, distance + wall)
        truth = bodies.surface(points, exact)
        behind = truth[:, 2] + max(0.15, wall - 0.5)
        for _ in range(ROUNDS):
            people = bodies.seen(points, random, error)
            found = people.detected()[0]
            positions, _ = _lifted(Lifting(bodies.TOPOLOGY), people,
                                   bodies.measured(exact, random))
            known = np.isfinite(positions[0, :, 0])
            away += np.linalg.norm(positions[0] - truth, axis=1)[known].tolist()
            sides += np.abs(positions[0, :, 2] - truth[:, 2])[known].tolist()
            background = (positions[0, known, 2] > behind[known]).sum()
            counts += found.sum(), (found & ~known).sum(), background
    away = [value for value in away if np.isfinite(value)]
    return ['{:g}'.format(distance), '{:g}'.format(error)] + [
        '{:.1f} ({:.1f})'.format(*(1e3 * value for value in percentiles(values, (50, 95))))
        for values in (away, [value for value in sides if np.isfinite(value)])] + [
        str(count) for count in counts]


def _times(random):
    points = bodies.STANDING + (0, 0, 3)
    samples = bodies.measured(bodies.rendered(points, 4.5), random)
    rows = []
    for count in (1, 5, 30):
        people = make_people(np.repeat(bodies.seen(points, random, 2.0).keypoints, count, 0),
                             np.ones(count))
        stage = Lifting(bodies.TOPOLOGY)
        times = [_lifted(stage, people, samples)[1] for _ in range(100)]
        rows.append([str(count), '{:.2f} ({:.2f})'.format(*percentiles(times, (50, 95)))])
    print_table(('people', 'lifting ms (p95)'), rows)


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--wall', type=float, default=1.5, help='m behind the bodies')
    wall = parser.parse_args().wall
    print(machine())
    random = np.random.RandomState(0)
    print_table(('distance [m]', 'error of keypoints [px]', 'error, median (p95) [mm]',
                 'of depth alone [mm]', 'keypoints', 'without position', 'from the wall'),
                [_row(distance, error, wall, random)
                 for distance in DISTANCES for error in ERRORS])
    _times(random)


if __name__ == '__main__':
    main()
