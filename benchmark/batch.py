# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch` on processes and on Ray, against the same number of processes by hand.

    tools/env.sh python benchmark/batch.py [--workers 2] [--count 200] [--rounds 3]

By hand: one process per worker, with one thread and its part of the images; it calls the Python
API and writes one JSON file per image. Both ways run at the same time on the same cores, so that
other programs slow both alike: the ratio is that of the images that each has done between the
moment when both work and the moment when the first is ready. Starting is not in it. Medians over
the rounds.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import cv2

from common import argument_parser, load_frames, machine, print_table

from pose_ros.core import PoseEstimator
from pose_ros.core.results import FORMS, open_results
from pose_ros.core.sources import open_source

FIRST = 3  # results per worker after which it works evenly
WAYS = {'batch': [], 'batch --ray': ['--ray', 'local']}


def work(folder, out, options):
    """Label every n-th image of a folder, in one thread."""
    cv2.setNumThreads(1)
    estimator = PoseEstimator(options.model, threads=1)
    part, parts = map(int, options.part.split('/'))
    for name in sorted(os.listdir(folder))[part::parts]:
        with open_source(os.path.join(folder, name)) as source, open_results(
                os.path.join(out, name + '.json'), FORMS[0], estimator.topology,
                estimator.card.name) as results:
            for frame in source:
                results.add(frame, estimator(frame))


def by_hand(folder, out, options):
    """Return the command lines of one process per worker."""
    return [[sys.executable, __file__, '--model', options.model, '--part',
             '{}/{}'.format(part, options.workers), '--work', folder, out]
            for part in range(options.workers)]


def by_batch(folder, out, options, *more):
    """Return the command line of batch."""
    return [[sys.executable, '-m', 'pose_ros.cli', 'batch', folder, '-o', out, '--model',
             options.model, '--quiet', '--no-tracking', '--threads', '1',
             '--workers', str(options.workers)] + list(more)]


def done_times(out):
    """Return when each result in a folder was written [s], in order."""
    return sorted(os.stat(os.path.join(out, name)).st_mtime for name in os.listdir(out)
                  if name.endswith('.jpg.json'))


def compare(folder, options, more):
    """Run batch and processes by hand at once; return images per second of each."""
    with tempfile.TemporaryDirectory() as out:
        outs = [os.path.join(out, name) for name in ('batch', 'hand')]
        for path in outs:
            os.mkdir(path)
        processes = [subprocess.Popen(line)
                     for line in by_batch(folder, outs[0], options, *more)]
        while len(done_times(outs[0])) < FIRST and processes[0].poll() is None:
            time.sleep(0.1)  # Ray takes longer to start
        processes += [subprocess.Popen(line) for line in by_hand(folder, outs[1], options)]
        if any([process.wait() for process in processes]):
            raise SystemExit('a command has failed')
        times = [done_times(path) for path in outs]
    start = max(each[FIRST * options.workers] for each in times)
    end = min(each[-1] for each in times)
    return [sum(start < time <= end for time in each) / (end - start) for each in times]


def write_images(folder, count, frames):
    """Write JPEG images, in turn of the frames."""
    for number, frame in enumerate(frames):
        cv2.imwrite('{}/{:06d}.jpg'.format(folder, number), frame)
    for number in range(len(frames), count):
        shutil.copy('{}/{:06d}.jpg'.format(folder, number % len(frames)),
                    '{}/{:06d}.jpg'.format(folder, number))


def main():
    """Measure, and print a table in Markdown."""
    parser = argument_parser(__doc__)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--count', type=int, default=200, help='images of a run')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--ways', nargs='+', choices=list(WAYS), default=list(WAYS))
    parser.add_argument('--work', nargs=2, help=argparse.SUPPRESS)
    parser.add_argument('--part', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work[0], options.work[1], options)
        return
    os.environ['RAY_worker_niceness'] = '0'  # Ray gives its workers the lowest priority
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder, options.count, load_frames(options.images))
        for name in options.ways:
            pairs = [compare(folder, options, WAYS[name]) for _ in range(options.rounds)]
            rows.append([name] + ['{:.1f}'.format(statistics.median(rates))
                                  for rates in zip(*pairs)] + [
                '{:.2f}'.format(statistics.median(mine / hand for mine, hand in pairs))])
    print(machine())
    print_table(('{} workers, {} images'.format(options.workers, options.count),
                 'images per second', 'by hand, at the same time', 'ratio'), rows)


if __name__ == '__main__':
    main()
