# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the frame rate of `pose-ros bag` with that of `pose-ros video` on the same frames.

    tools/env.sh python benchmark/bags.py [--video clip.mp4] [--frames N] [--rounds N] [OPTION ...]

Whole commands are timed, in this process and in turns; `bag` also writes its output. Other options
are those of both commands, such as --model.
"""
import argparse
import contextlib
import io
import itertools
import os
import statistics
import tempfile
import time

import cv2
import numpy as np

from common import machine, print_table

from pose_ros.cli.main import main as pose_ros
from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.stored import COMPRESSED_IMAGE, IMAGE, Topic
from pose_ros.core.bags.writer import BagWriter
from pose_ros.core.compressed import encode_jpeg_bytes, JPEG_FORMAT
from pose_ros.core.sources import open_source

_RATE = 30.0
_TOPIC = '/camera/image_raw'
_QUALITY = 95  # of the JPEGs, as OpenCV writes MJPG


def write_video(path, source, count):
    """Write the first frames of a source as MJPG."""
    with open_source(source) as frames:
        writer = None
        for frame in itertools.islice(frames, count):
            writer = writer or cv2.VideoWriter(
                path, cv2.VideoWriter_fourcc(*'MJPG'), _RATE, frame.size)
            writer.write(frame.image)
        writer.release()


def write_bag(path, video, kind):
    """Write the frames of a video to a bag, raw or as JPEG."""
    types = BagTypes()
    text, digest = types.described(kind)
    with BagWriter(path) as writer, open_source(video) as frames:
        writer.add_topic(Topic(_TOPIC, kind, 0, text, digest))
        for frame in frames:
            time_ns = int(frame.time_s * 1e9) + 10 ** 18
            stamp = types.kind('builtin_interfaces/msg/Time')(*divmod(time_ns, 10 ** 9))
            header = types.kind('std_msgs/msg/Header')(stamp=stamp, frame_id='camera')
            if kind == IMAGE:
                width, height = frame.size
                message = types.kind(kind)(
                    header=header, height=height, width=width, encoding='bgr8', is_bigendian=0,
                    step=3 * width, data=np.ascontiguousarray(frame.image).reshape(-1))
            else:
                message = types.kind(kind)(header=header, format=JPEG_FORMAT,
                                           data=encode_jpeg_bytes(frame.image, _QUALITY))
            writer.write(_TOPIC, time_ns, types.encode(message, kind))


def measure(arguments):
    """Run a command; return its wall time and the processor time of this process [s]."""
    wall, used = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        code = pose_ros(arguments + ['--quiet'])
    if code:
        raise SystemExit('pose-ros {} failed'.format(' '.join(arguments)))
    return time.perf_counter() - wall, time.process_time() - used


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--video', default='demo', help='default: the images of scikit-image')
    parser.add_argument('--frames', type=int, default=150)
    parser.add_argument('--rounds', type=int, default=5)
    options, more = parser.parse_known_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        clip, out = os.path.join(folder, 'clip.avi'), os.path.join(folder, 'people.mcap')
        write_video(clip, options.video, options.frames)
        commands = {'`video`, MJPG': ['video', clip]}
        for name, kind in (('raw', IMAGE), ('JPEG', COMPRESSED_IMAGE)):
            path = os.path.join(folder, name + '.mcap')
            write_bag(path, clip, kind)
            commands['`bag`, ' + name] = ['bag', path, '-o', out]
        times = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, arguments in commands.items():
                times[name].append(measure(arguments + more))
    first = next(iter(times.values()))
    head = 'command', 'frames per second', 'rate, of `video`', 'processor time, of `video`'
    print_table(head, [
        (name, '{:.1f}'.format(options.frames / statistics.median(wall for wall, _ in each)),
         *('{:.2f}'.format(statistics.median(pairs)) for pairs in (
             [one[0] / two[0] for one, two in zip(first, each)],
             [two[1] / one[1] for one, two in zip(first, each)])))
        for name, each in times.items()])


if __name__ == '__main__':
    main()
