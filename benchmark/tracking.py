# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tracking on made-up scenes with known truth, jitter and lag of smoothing, and their times.

    tools/env.sh python benchmark/tracking.py

No network runs. The scenes are those of test/scenes.py. Times are of one thread, without other
programs; medians and 95th percentiles over the frames of each scene.
"""
import os
import sys
import time

import numpy as np

from common import machine, percentiles, print_table

from pose_ros.core.filters import FILTERS
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people
from pose_ros.core.stages import Smoothing, Tracking
from pose_ros.core.topology import get_topology

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'test'))
from scenes import IMAGE, scene, scenes, score, walk

TOPOLOGY = get_topology('coco_17')
RATE = 30.0            # Hz
HEIGHT = 300.0         # px
NOISE = 0.005          # of raw keypoints, in heights
AMPLITUDES = (0.05, 0.1, 0.2)  # of the wave, in heights
SECONDS = 20


def _timed(stages, steps):
    """Return the milliseconds of each stage per frame, and the ids."""
    times, ids = [[] for _ in stages], []
    for step in steps:
        people = [step.people]
        for stage, durations in zip(stages, times):
            start = time.thread_time()
            people = stage([step.frame], people)
            durations.append(1e3 * (time.thread_time() - start))
        ids.append(people[0].track_ids)
    return times, ids


def _tracking():
    rows = []
    for name, steps in scenes():
        _, ids = _timed([Tracking(TOPOLOGY)], steps)
        result, last = score(steps, ids), max(step.truth.max(initial=0) for step in steps)
        rows.append([name, str(len(steps)), str(last + 1), str(result.ids),
                     '{:.3f}'.format(result.mota), '{:.3f}'.format(result.idf1),
                     str(result.switches)])
    print_table(('scene', 'frames', 'people', 'ids', 'MOTA', 'IDF1', 'switches'), rows)


def _times():
    rows = []
    for count in (1, 5, 30, 100):
        across = int(np.ceil(np.sqrt(count)))
        paths = [walk((40 + 1150.0 * (k % across) / across, 20 + 600.0 * (k // across) / across),
                      (20 * (-1) ** k, 0), 500.0 / across) for k in range(count)]
        steps = scene(paths, 6, RATE)
        row = [str(count)]
        for method in FILTERS:
            times, _ = _timed([Tracking(TOPOLOGY), Smoothing(method)], steps)
            row += ['{:.2f} ({:.2f})'.format(*percentiles(durations[30:], (50, 95)))
                    for durations in (times if len(row) == 1 else times[1:])]
        rows.append(row)
    print_table(['people', 'tracking ms (p95)'] + ['{} ms (p95)'.format(method)
                                                   for method in FILTERS], rows)


def _filtered(method, points):
    """Return points (N, 2) [px] of one keypoint after smoothing."""
    stage, result = Smoothing(method), []
    for index, point in enumerate(points):
        keypoints = np.full((1, 3, 3), 0.7)
        keypoints[0, :, :2] = [point, (100, 50), (200, 50 + HEIGHT)]
        people = make_people(keypoints, [0.7], track_ids=[1])
        found, = stage([Frame(IMAGE, index / RATE)], [people])
        result.append(found.keypoints[0, 0, :2])
    return np.array(result)


def _wave(method, amplitude, noise):
    """Return lag [frames] and gain of a wave of 1 Hz."""
    times = np.arange(int(SECONDS * RATE)) / RATE
    sine = np.sin(2 * np.pi * times)
    points = (320, 200) + noise + np.stack([amplitude * HEIGHT * sine, 0 * times], 1)
    values = _filtered(method, points)[:, 0] - 320
    turned = np.exp(-2j * np.pi * times)[int(RATE):]
    ratio = (values[int(RATE):] * turned).sum() / (sine[int(RATE):] * turned).sum()
    return -np.angle(ratio) / (2 * np.pi) * RATE, abs(ratio) / (amplitude * HEIGHT)


def _smoothing():
    noise = np.random.RandomState(0).normal(0, NOISE * HEIGHT, (int(SECONDS * RATE), 2))
    rows = []
    for method in FILTERS:
        still = _filtered(method, (320, 200) + noise)[int(RATE):]
        jitter = still.std(0).mean() / noise[int(RATE):].std(0).mean()
        waves = [_wave(method, amplitude, noise) for amplitude in AMPLITUDES]
        rows.append([method, '{:.2f}'.format(jitter)] + [
            '{:.2f} ({:.2f})'.format(*wave) for wave in waves])
    print_table(['filter', 'jitter / raw'] + [
        'lag of {} heights [frames] (gain)'.format(amplitude) for amplitude in AMPLITUDES], rows)


def main():
    """Print all tables."""
    print(machine())
    _tracking()
    _times()
    print('\nSmoothing at {:g} Hz, raw keypoints with a noise of {:g} heights; waves of '
          '1 Hz:'.format(RATE, NOISE))
    _smoothing()


if __name__ == '__main__':
    main()
