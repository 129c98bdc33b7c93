# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time models against each other: the network alone, and from frame to people.

    tools/env.sh python benchmark/models.py FIRST.onnx OTHER.onnx ... [--backend onnxruntime]

All run in one process on one backend and take turns, frame by frame, so that what else the machine
does hits them alike. Ratios are medians of each turn's time over the first model's in that turn.
"""
import argparse
import os
import statistics

import cv2

from common import load_frames, machine, print_table

from pose_ros.core import PoseEstimator


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', metavar='MODEL', help='ONNX models with a card')
    parser.add_argument('--backend', default='onnxruntime',
                        choices=('onnxruntime', 'openvino', 'tensorrt', 'tensorrt_rtx'))
    parser.add_argument('--threads', type=int, default=0, help="0: the engine's own choice")
    parser.add_argument('--rounds', type=int, default=40)
    parser.add_argument('--images', nargs='*', default=[],
                        help='images; default: those of scikit-image')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    estimators = [PoseEstimator(path, backend=args.backend, threads=args.threads,
                                require_tensorrt=True)
                  for path in args.models]
    frames = load_frames(args.images)
    turns = [[_turn(estimator, frame) for estimator in estimators]
             for _ in range(args.rounds) for frame in frames][len(frames):]
    print(machine())
    print(estimators[0].network.engine.describe())
    print_table(['model', 'input', 'network ms', 'ratio', 'end to end ms', 'ratio'],
                [_row(path, estimator, turns, position) for position, (path, estimator)
                 in enumerate(zip(args.models, estimators))])


def _turn(estimator, frame):
    """Return the seconds of the network alone and of everything, for one frame."""
    estimator(frame)
    return estimator.timings['pose.network'], sum(estimator.timings.values())


def _row(path, estimator, turns, position):
    row = [os.path.basename(path), '{0.width}x{0.height}'.format(estimator.card.input)]
    for part in (0, 1):
        times = [turn[position][part] for turn in turns]
        ratios = [turn[position][part] / turn[0][part] for turn in turns]
        row += ['{:.2f}'.format(1e3 * statistics.median(times)),
                '{:.2f}'.format(statistics.median(ratios))]
    return row


if __name__ == '__main__':
    main()
