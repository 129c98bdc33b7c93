# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time each stage from frame to message, per engine, as ratios to the bare network call.

    tools/env.sh python benchmark/stages.py [--model MODEL.onnx] [--images IMAGE ...]

Each engine runs in a process of its own (two CPU runtimes in one process slow each other down),
and the processes take turns: one round on one engine, then one on the next. Within a round the
stages of a frame follow the bare network call directly. Figures are medians over all rounds, and
percentiles: a 99th of less than 100 runs is their slowest.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import cv2

from common import argument_parser, load_frames, machine, percentiles, print_table

from pose_ros.core import PoseEstimator
from pose_ros.core.engines import available_backends
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import whole

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'test'))
from paf_exact import ExactPafDecoder

BACKENDS = ('onnxruntime', 'openvino')
STAGES = ('network', 'preprocess', 'decode', 'exact decode', 'message', 'publish', 'end to end')


def _timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def _round(estimator, preprocessor, exact, frame, ros):
    """Time one frame, in seconds; the network's input is ready before its call is timed."""
    times = {}
    times['end to end'], people = _timed(estimator, frame)
    batch = preprocessor.batch
    region = whole(0, frame.shape[1], frame.shape[0])
    times['preprocess'], _ = _timed(preprocessor.write, frame, region, 0)
    times['network'], outputs = _timed(estimator.network.engine.infer, batch)
    outputs = {name: array[0] for name, array in outputs.items()}
    times['decode'], _ = _timed(estimator.network.decoder.decode, outputs)
    times['exact decode'], _ = _timed(exact.decode, outputs)
    if ros is not None:
        times['message'], message = _timed(ros.to_message, people, frame)
        times['publish'], _ = _timed(ros.publish, message)
    return times


class Ros:
    """Builds and publishes the message as the node does, with one subscriber."""

    def __init__(self, topology):
        """Create a node; ImportError where ROS is missing."""
        import rclpy
        from pose_ros.msg import SkeletonArray
        from pose_ros.nodes.output import to_skeleton_array
        from pose_ros.nodes.qos import SKELETONS_QOS
        from std_msgs.msg import Header
        rclpy.init()
        self._node = rclpy.create_node('benchmark_{}'.format(os.getpid()))
        self._topology, self._header, self._convert = topology, Header(), to_skeleton_array
        topic = '~/skeletons'
        self._node.create_subscription(SkeletonArray, topic, lambda message: None, SKELETONS_QOS)
        self.publish = self._node.create_publisher(SkeletonArray, topic, SKELETONS_QOS).publish

    def to_message(self, people, frame):
        """Return the SkeletonArray of one frame."""
        height, width = frame.shape[:2]
        return self._convert(self._header, people, self._topology, width, height)


def _ros(topology):
    try:
        return Ros(topology)
    except ImportError as error:
        print('message and publish are left out: {}'.format(error), file=sys.stderr)
        return None


def work(options):
    """Run one engine: a line on stdin asks for a round, a line of JSON answers it."""
    cv2.setNumThreads(1)
    estimator = PoseEstimator(options.model, backend=options.work,
                              allow_spinning=options.allow_spinning)
    preprocessor = Preprocessor(estimator.card.input)
    exact = ExactPafDecoder(estimator.card)
    ros = _ros(estimator.topology)
    frames = load_frames(options.images)
    people = [estimator(frame).count for frame in frames]
    greeting = {'engine': str(estimator.network.engine.describe()), 'people': people}
    print(json.dumps(greeting), flush=True)
    for _ in sys.stdin:
        print(json.dumps([[_round(estimator, preprocessor, exact, frame, ros)
                           for frame in frames] for _ in range(options.repeat)]), flush=True)


def measure(options, backends):
    """Let the engines take turns; returns {backend: (greeting, [times of each frame run])}."""
    workers = {}
    for backend in backends:
        command = [sys.executable, __file__, '--work', backend, '--model', options.model,
                   '--repeat', str(options.repeat), '--images'] + options.images
        command += ['--allow-spinning'] if options.allow_spinning else []
        workers[backend] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            universal_newlines=True)
    results = {backend: (json.loads(worker.stdout.readline()), [])
               for backend, worker in workers.items()}
    for turn in range(options.rounds + 1):
        for backend, worker in workers.items():
            worker.stdin.write('\n')
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
            if turn:  # the first round warms up
                results[backend][1].extend(times for frames in answer for times in frames)
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    return results


def report(results):
    """Print the table; returns {backend: {stage: median ms}}."""
    medians, rows = {}, []
    for backend, (greeting, runs) in results.items():
        stages = [stage for stage in STAGES if stage in runs[0]]
        median = {stage: 1000 * statistics.median(times[stage] for times in runs)
                  for stage in stages}
        medians[backend] = median
        for stage in stages:
            # The median of ratios within a frame's own run is steadier than the ratio of medians.
            ratio = statistics.median(times[stage] / times['network'] for times in runs)
            slow = percentiles([times[stage] for times in runs], (95, 99))
            rows.append((backend, stage, '{:.2f}'.format(median[stage]), '{:.3f}'.format(ratio)) +
                        tuple('{:.2f}'.format(1000 * value) for value in slow))
        print('{}: {}; people per image {}; {} runs'.format(
            backend, greeting['engine'], greeting['people'], len(runs)))
        print('  exact decode / fast decode: {:.1f}'.format(statistics.median(
            times['exact decode'] / times['decode'] for times in runs)))
    print_table(('engine', 'stage', 'median [ms]', 'of the bare network', 'p95 [ms]', 'p99 [ms]'),
                rows)
    if len(medians) == 2:
        print('\nend to end, onnxruntime / openvino: {:.2f}'.format(
            medians['onnxruntime']['end to end'] / medians['openvino']['end to end']))
    return medians


def main():
    """Measure, and print tables in Markdown."""
    parser = argument_parser(__doc__)
    parser.add_argument('--rounds', type=int, default=15, help='rounds per engine')
    parser.add_argument('--repeat', type=int, default=3,
                        help='passes over the images in a round')
    parser.add_argument('--allow-spinning', action='store_true',
                        help='let idle onnxruntime threads busy-wait')
    parser.add_argument('--work', choices=BACKENDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options)
        return
    found = [name for name in BACKENDS if not available_backends()[name].startswith('unavailable')]
    print(machine())
    report(measure(options, found))


if __name__ == '__main__':
    main()
