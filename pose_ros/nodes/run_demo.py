# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The demo: camera, estimator and monitor as three processes over real DDS topics."""
import argparse
import os
import signal
import subprocess
import sys
import time

from pose_ros.core.bundled import BUNDLED
from pose_ros.core.command_files import check_outputs
from pose_ros.nodes.dds import shared_memory_settings
from pose_ros.nodes.signals import Ended, EndSignals

_NAMESPACE = '/pose'
_DURATION = 20.0  # s; of sources that never end
_GRACE = 5.0  # s for a process to end after SIGINT


def _parser():
    parser = argparse.ArgumentParser(
        prog='run_demo',
        description='Show people found in a camera, a video, an image or a folder, over ROS 2 '
        'topics; prints people, rate, latency and drops, and writes an annotated video.')
    parser.add_argument('--model', default='',
                        help='ONNX file with a card, or a bundled name; default: bundled pair')
    parser.add_argument('--input', default='demo',
                        help='video, image, folder, camera index, or "demo" (a slow pan and '
                        'zoom over public-domain images of people)')
    parser.add_argument('--output', default='output/demo.avi',
                        help='annotated video (.avi or .mp4)')
    parser.add_argument('--duration', type=float, default=None,
                        help='seconds to run; default: to the end of a video, {:.0f} s for other '
                        'inputs'.format(_DURATION))
    parser.add_argument('--rate', type=float, default=0.0,
                        help="frames per second; 0: the input's own, or 30")
    parser.add_argument('--backend', default='auto', help='inference engine')
    return parser


def main(args=None):
    """Run the demo; the exit code is 0, or 1 if a process failed."""
    options = _parser().parse_args(args)
    if options.model and options.model not in BUNDLED and not os.path.isfile(options.model):
        print('demo: there is no model file {!r}'.format(options.model), file=sys.stderr)
        return 2
    folder = os.path.dirname(os.path.abspath(options.output))
    os.makedirs(folder, exist_ok=True)
    try:
        check_outputs({'--output': options.output}, [options.input, options.model])
    except argparse.ArgumentError as error:
        print('demo: {}'.format(error), file=sys.stderr)
        return 2
    endless = not _is_video(options.input)
    duration = options.duration or (_DURATION if endless else float('inf'))
    return _run(options, endless, duration)


def _is_video(spec):
    endings = ('.avi', '.mp4', '.mkv', '.mov', '.webm', '.mpg', '.mpeg', '.m4v')
    return spec.lower().endswith(endings)


def _run(options, endless, duration):
    signals = EndSignals()
    processes, code = [], 0  # in the order in which they are stopped
    try:
        signals.release()
        processes.insert(0, _start('estimator', model=options.model, backend=options.backend))
        processes.insert(0, _start('monitor', output=options.output, fail_on_error=True))
        processes.insert(0, _start('image_source', source=options.input, rate=options.rate,
                                   loop=endless, exit_at_end=True, wait_for_subscriber=True))
        code = _watch(processes, duration)
    except Ended:
        pass
    finally:
        signals.hold()
        codes = [_stop(process) for process in processes]
        signals.ignore()
    return 1 if code or any(codes) else 0


def _watch(processes, duration):
    """Wait until the source ends or the time is over; return 1 if another process ends first."""
    source, monitor, estimator = processes
    started = time.monotonic()
    while time.monotonic() - started < duration and source.poll() is None:
        if monitor.poll() is not None or estimator.poll() is not None:
            return 1
        time.sleep(0.1)
    time.sleep(0.5)  # the last frames are still processed
    return 0


def _start(node, **parameters):
    command = [sys.executable, '-m', 'pose_ros.nodes.' + node,
               '--ros-args', '-r', '__ns:=' + _NAMESPACE]
    for name, value in parameters.items():
        if value != '':
            command += ['-p', '{}:={}'.format(name, _yaml(value))]
    # A session of its own: Ctrl-C reaches the demo alone, which then stops the parts in order.
    return subprocess.Popen(command, start_new_session=True,
                            env=shared_memory_settings(os.environ))


def _yaml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return '"{}"'.format(value) if isinstance(value, str) else value


def _stop(process):
    """End a process by SIGINT; return its exit code, 0 if the signal ended it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 0 if process.returncode == -signal.SIGINT else process.returncode


if __name__ == '__main__':
    sys.exit(main())
