# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time N regions in one call of an engine against N calls, as ratios in one run.

    tools/env.sh python benchmark/batches.py [--models MODEL ...] [--batch N] [--backends ...]
"""
import argparse
import statistics
import time

import cv2
import numpy as np

from common import machine, print_table

from pose_ros.core.bundled import BOTTOM_UP, DEFAULT_MODEL, model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.engines import create_engine


def _time(engine, batches):
    start = time.perf_counter()
    for batch in batches:
        engine.infer(batch)
    return time.perf_counter() - start


def measure(model, backend, count, rounds):
    """Return seconds of `count` single calls, and the median ratio of one call to them."""
    spec = load_card(model).input
    shape = (count, 3, spec.height, spec.width)
    single, several = (create_engine(model_file(model), (size,) + shape[1:], backend)
                       for size in (1, count))
    batch = np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)
    rows = [batch[row:row + 1] for row in range(count)]
    times = [(_time(single, rows), _time(several, [batch])) for _ in range(rounds + 2)][2:]
    single.close()
    several.close()
    return (statistics.median(each for each, _ in times),
            statistics.median(one / each for each, one in times))


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--models', nargs='*', default=[DEFAULT_MODEL, BOTTOM_UP],
                        help='models with a dynamic batch; default: the bundled ones')
    parser.add_argument('--backends', nargs='*', default=['onnxruntime', 'openvino'])
    parser.add_argument('--batch', type=int, default=4, help='regions in one call')
    parser.add_argument('--rounds', type=int, default=30)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine())
    rows = []
    for model in options.models:
        for backend in options.backends:
            seconds, ratio = measure(model, backend, options.batch, options.rounds)
            rows.append((model, backend, '{:.1f}'.format(1000 * seconds), '{:.2f}'.format(ratio)))
    print_table(('model', 'engine', '{} calls [ms]'.format(options.batch),
                 'one call of {}, of {} calls'.format(options.batch, options.batch)), rows)


if __name__ == '__main__':
    main()
