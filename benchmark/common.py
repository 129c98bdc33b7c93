# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by the benchmarks: images, name of the machine, tables, memory."""
import argparse
import os
import platform

import cv2

from pose_ros.cli.machine import jetson_facts
from pose_ros.core.bundled import BOTTOM_UP, model_file

FRAME_SIZE = (640, 480)


def argument_parser(description):
    """Parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--model', default=model_file(BOTTOM_UP),
                        help='ONNX model with a card; default: the bundled bottom_up')
    parser.add_argument('--images', nargs='*', default=[],
                        help='images; default: those of scikit-image')
    return parser


def load_frames(paths, size=FRAME_SIZE):
    """Return (H, W, 3) uint8 BGR frames of one size; without paths those of scikit-image."""
    if paths:
        images = [cv2.imread(path) for path in paths]
        missing = [path for path, image in zip(paths, images) if image is None]
        if missing:
            raise SystemExit('cannot read {}'.format(', '.join(missing)))
    else:
        from skimage import data
        images = [data.astronaut()[..., ::-1], cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2BGR)]
    return [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]


def machine():
    """Name the processor, its cores, the Python, and what jetson_facts finds."""
    model = platform.processor() or platform.machine()
    try:
        with open('/proc/cpuinfo') as stream:
            model = next(line.split(':', 1)[1].strip() for line in stream
                         if line.startswith('model name'))
    except (OSError, StopIteration):
        pass
    facts = ''.join('; ' + fact for fact in jetson_facts())
    return 'Machine: {}, {} cores; Python {}, OpenCV {}{}'.format(
        model, os.cpu_count(), platform.python_version(), cv2.__version__, facts)


def percentiles(values, ranks):
    """Return a value of `values` per rank that so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return [ordered[max(0, -(-rank * len(ordered) // 100) - 1)] for rank in ranks]


def print_table(head, rows):
    """Print rows as a Markdown table."""
    print('\n| {} |\n|{}'.format(' | '.join(head), '---|' * len(head)))
    for row in rows:
        print('| {} |'.format(' | '.join(row)))


def resident_megabytes(pid):
    """Resident memory of a process [MB] (Linux)."""
    with open('/proc/{}/statm'.format(pid)) as stream:
        return int(stream.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
