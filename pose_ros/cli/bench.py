# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros bench`: time a model on this machine, stage by stage."""
import os
import platform
import time

import numpy as np

from pose_ros.cli.machine import jetson_facts
from pose_ros.cli.options import add_input_options
from pose_ros.cli.run import open_file
from pose_ros.core.command import progress_bar
from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import (add_model_options, count, load_estimator, model_inputs,
                                           size)
from pose_ros.core.engines import EngineInfo
from pose_ros.core.errors import ImageError
from pose_ros.core.sources import FrameSource

DESCRIPTION = ('Time preprocessing, network, decoding and the other stages of a model on this '
               'machine. Reading the images is not counted. End to end is the time of one call. '
               'The time of the network depends on the engine and its threads, that of decoding '
               'on the number of people in the image.')
EPILOG = """examples:
  pose-ros bench                                             a synthetic image without people
  pose-ros bench photo.jpg --repeat 300                      one image, 300 times
  pose-ros bench walk.mp4 --backend onnxruntime --threads 2  a video, and a chosen engine
  pose-ros bench --frame-size 1920x1080 --json bench.json    a large frame; figures to a file

Compare machines at rest, with mains power and a fixed clock
(Jetson: sudo nvpmodel -m 0; sudo jetson_clocks).
"""
_WARM_UP = 5  # frames that are not counted: engines allocate memory in the first ones
_END_TO_END = 'end_to_end'


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', nargs='?', metavar='PATH',
                        help='image, folder or video (default: a synthetic image)')
    parser.add_argument('--frame-size', type=size, default=(640, 480), metavar='WxH',
                        help='size of the synthetic image (default: 640x480)')
    parser.add_argument('--repeat', type=count, default=100, metavar='N',
                        help='frames to time (default: 100)')
    parser.add_argument('--json', metavar='FILE',
                        help='write the figures to a JSON file; - is stdout')
    parser.add_argument('--quiet', action='store_true', help='print errors only')
    add_input_options(parser)
    add_model_options(parser)


def run(args) -> int:
    """Measure, and print a table; return the exit code."""
    check_outputs({'--json': args.json}, [args.input] + model_inputs(args))
    with (open_file(args.input, args.max_pixels, loop=True) if args.input
          else Synthetic(*args.frame_size)) as source:
        estimator = load_estimator(args)
        report = describe(source, estimator)
        bar = progress_bar(args.repeat, args.quiet)
        report.update(measure(estimator, source, args.repeat, bar))
        estimator.close()
    if not args.quiet:
        print('\n'.join(_lines(report)), file=report_stream(args.json))
    if args.json:
        write_json(args.json, report, indent=2)
    return 0


class Synthetic(FrameSource):
    """Yields one image without end: shades and noise, equal on every machine, no people."""

    def __init__(self, width: int, height: int):
        """Compute the image."""
        super(Synthetic, self).__init__()
        shades = np.add.outer(np.linspace(0, 120, height), np.linspace(0, 120, width))
        noise = np.random.RandomState(0).uniform(0, 15, (height, width, 3))
        self._image = (shades[..., None] + noise).astype(np.uint8)

    def describe(self):
        """See FrameSource.describe."""
        return 'synthetic image {1}x{0}'.format(*self._image.shape)

    def _read(self):
        return self._image, 'synthetic'


def measure(estimator, source: FrameSource, repeat: int, bar) -> dict:
    """Run `repeat` frames after a warm-up; return milliseconds per stage, people per frame."""
    times, people = [], []
    for number in range(_WARM_UP + repeat):
        frame = source.read()
        if frame is None:
            raise ImageError('{} ended after {} frames'.format(source.describe(), number))
        start = time.perf_counter()
        found = estimator(frame)
        total = time.perf_counter() - start
        if number >= _WARM_UP:
            times.append(dict(estimator.timings, **{_END_TO_END: total}))
            people.append(found.count)
            bar.update(1)
    bar.close()
    table = 1e3 * np.array([list(row.values()) for row in times])
    middle, slow = np.percentile(table, (50, 95), axis=0)
    return {'frames': repeat, 'people_per_frame': round(float(np.mean(people)), 2),
            'stages_ms': {name: {'median': round(middle[column], 3), 'p95': round(slow[column], 3)}
                          for column, name in enumerate(times[0])},
            'frames_per_s': round(1e3 / middle[-1], 2)}


def describe(source: FrameSource, estimator) -> dict:
    """Return what belongs to every figure: machine, engine, model, sizes."""
    return {'machine': {'platform': platform.platform(), 'cpus': os.cpu_count(),
                        'python': platform.python_version(), 'jetson': jetson_facts()},
            'networks': {network.name: _describe_network(network)
                         for network in estimator.networks},
            'source': source.describe()}


def _describe_network(network):
    spec = network.card.input
    return {'model': network.card.name, 'input': [spec.width, spec.height],
            'engine': dict(network.engine.describe()._asdict())}


def _lines(report):
    yield report['source']
    for name, network in report['networks'].items():
        yield '{}: {model} at {input[0]}x{input[1]}, {}'.format(
            name, EngineInfo(**network['engine']), **network)
    if report['machine']['jetson']:
        yield ', '.join(report['machine']['jetson'])
    yield ''
    yield '{:<20} {:>9} {:>9}'.format('stage', 'median ms', 'p95 ms')
    for name, figures in report['stages_ms'].items():
        yield '{:<20} {median:>9.2f} {p95:>9.2f}'.format(name, **figures)
    yield ''
    yield '{:.1f} frames per second, {:g} people per frame, over {} frames'.format(
        report['frames_per_s'], report['people_per_frame'], report['frames'])
