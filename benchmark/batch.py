# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch` on processes and on Ray, against the same number of processes by hand.

    tools/env.sh python benchmark/batch.py [--workers 2] [--count 300] [--rounds 3]

By hand: one `pose-ros image` per worker, each with its part of the images and one thread. All
write people as JSON; batch writes one file per image. Every way runs in turns, with few images
and with all: frames per second are those of the difference, so that starting is not in them; the
seconds to start are those of the run with few images. Medians over the rounds.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import cv2

from common import argument_parser, load_frames, machine, print_table

FEW = 4  # images per worker


def command(*arguments):
    """Return the command line of pose-ros."""
    return [sys.executable, '-m', 'pose_ros.cli'] + [str(argument) for argument in arguments]


def by_hand(folder, out, options):
    """Return the command lines of one process per worker."""
    names = sorted(os.listdir(folder))
    return [command('image', *[os.path.join(folder, name)
                               for name in names[number::options.workers]],
                    '--model', options.model, '--threads', 1, '--quiet',
                    '--json', os.path.join(out, '{}.json'.format(number)))
            for number in range(options.workers)]


def by_processes(folder, out, options):
    """Return the command line of batch on processes."""
    return [command('batch', folder, '-o', out, '--model', options.model, '--quiet',
                    '--threads', 1, '--workers', options.workers)]


def by_ray(folder, out, options):
    """Return the command line of batch on a Ray of its own."""
    return [by_processes(folder, out, options)[0] + ['--ray', 'local']]


WAYS = (('by hand', by_hand), ('batch', by_processes), ('batch --ray', by_ray))


def seconds(way, folder, options):
    """Run a way once; SystemExit if it fails."""
    with tempfile.TemporaryDirectory() as out:
        start = time.monotonic()
        processes = [subprocess.Popen(line) for line in way(folder, out, options)]
        if any([process.wait() for process in processes]):
            raise SystemExit('a command has failed')
        return time.monotonic() - start


def write_images(folder, count, frames):
    """Write JPEG images, in turn of the frames."""
    os.mkdir(folder)
    paths = []
    for number, frame in enumerate(frames):
        paths.append('{}/{:06d}.jpg'.format(folder, number))
        cv2.imwrite(paths[-1], frame)
    for number in range(len(frames), count):
        shutil.copy(paths[number % len(paths)], '{}/{:06d}.jpg'.format(folder, number))


def main():
    """Measure, and print a table in Markdown."""
    parser = argument_parser(__doc__)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--count', type=int, default=300, help='images of a run')
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    frames, few = load_frames(options.images), FEW * options.workers
    rates, starts = {name: [] for name, _ in WAYS}, {name: [] for name, _ in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder + '/few', few, frames)
        write_images(folder + '/all', options.count, frames)
        for _ in range(options.rounds):
            for name, way in WAYS:
                start = seconds(way, folder + '/few', options)
                whole = seconds(way, folder + '/all', options)
                starts[name].append(start)
                rates[name].append((options.count - few) / (whole - start))
    print(machine())
    ratios = {name: statistics.median(mine / hand for mine, hand in zip(
        rates[name], rates['by hand'])) for name, _ in WAYS}
    print_table(('{} workers, {} images'.format(options.workers, options.count),
                 'images per second', 'ratio', 'seconds to start'), [
        (name, '{:.1f}'.format(statistics.median(rates[name])), '{:.2f}'.format(ratios[name]),
         '{:.1f}'.format(statistics.median(starts[name]))) for name, _ in WAYS])


if __name__ == '__main__':
    main()
