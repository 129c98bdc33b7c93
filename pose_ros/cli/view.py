# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros view`: people of a camera or file, live, on a web page."""
import contextlib
import sys
import time

import numpy as np

from pose_ros.cli.options import add_input_options, settings_help
from pose_ros.core.command_options import (add_model_options, add_parameter, load_estimator,
                                           size)
from pose_ros.core.draw import draw_people
from pose_ros.core.errors import PoseRosError, shown
from pose_ros.core.sources import open_source
from pose_ros.core.sources.pacing import Pacer
from pose_ros.core.viewer import Person, Sample, VIEWER_PARAMETERS, View, ViewerServer
from pose_ros.core.viewer.view import ERROR

DESCRIPTION = ('Show the people of a camera or a file on a web page, live: the drawn image, ids '
               'and scores, rate, latency and drops. While no browser looks, the source is closed '
               'and nothing is computed. Ctrl-C is the normal end: the exit code is 0.')
EPILOG = """examples:
  pose-ros view 0                            a camera; then open http://127.0.0.1:8080/
  pose-ros view demo --port 9000             a built-in video (scikit-image)
  pose-ros view walk.mp4 --rate 5            a video at its own speed, again and again
  ssh -L 8080:localhost:8080 robot           look at a robot from your desk, encrypted
  pose-ros view 0 --address 0.0.0.0          every computer of the network may look

It needs aiohttp: pip install aiohttp

""" + settings_help()
_PERIOD = 1.0  # s between two points of the charts
_RETRY = 2.0  # s until a source that failed is opened again
_NAP = 0.002  # s between two questions whether a frame is due


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', metavar='SOURCE',
                        help='camera (0, /dev/video0, rtsp://...), video, image, folder of '
                             'images, or demo')
    parser.add_argument('--camera-size', type=size, metavar='WxH',
                        help='request this image size from the camera')
    add_input_options(parser)
    add_model_options(parser, tracking=True)
    group = parser.add_argument_group('page')
    for parameter in VIEWER_PARAMETERS:
        add_parameter(group, parameter)
    group.add_argument('--no-labels', action='store_true', help='draw no ids and scores')


def run(args) -> int:
    """Serve the page until the user ends it; return the exit code."""
    with _open(args) as source:  # what cannot be opened at all ends the command
        title = source.describe()
    values = {parameter.name: getattr(args, parameter.name) for parameter in VIEWER_PARAMETERS}
    view = View('', values)
    with contextlib.closing(load_estimator(args)) as estimator:
        with ViewerServer(title, [view], values) as server:
            print(shown('{} is shown on {} (Ctrl-C ends it)'.format(title, server.url)),
                  flush=True)
            try:
                while True:
                    view.wait()
                    _Show(args, estimator, view).run()
            except KeyboardInterrupt:
                return 0


def _open(args):
    return open_source(args.input, loop=True, size=args.camera_size, max_pixels=args.max_pixels)


class _Show:
    """Runs the estimator on the source, from the first viewer until the last one leaves."""

    def __init__(self, args, estimator, view):
        """Take the options, the estimator, and the view that is filled."""
        self._args, self._estimator, self._view = args, estimator, view
        self._engines = ', '.join('{} by {}'.format(network.card.name, network.engine.describe())
                                  for network in estimator.networks)
        self._dropped, self._latencies, self._last = 0, [], time.monotonic()
        self._people = 0

    def run(self):
        """Show frames; if the source or the network fails, say so, and wait before a new try."""
        try:
            with _open(self._args) as source:
                self._view.report(self._engines)
                self._show_all(source)
        except PoseRosError as error:
            self._view.report(self._engines, ERROR, [str(error)])
            print('pose-ros: error: {}'.format(error), file=sys.stderr, flush=True)
            time.sleep(_RETRY)

    def _show_all(self, source):
        pacer, period = Pacer(source), 0.0 if source.frame_rate or source.live \
            else 1.0 / self._args.rate
        while self._view.watched:
            start = time.monotonic()
            while not pacer.is_due(time.monotonic()):
                time.sleep(_NAP)
            frame = pacer.read()
            if frame is None:
                return
            self._show(frame)
            self._measure(pacer.skipped + source.dropped)
            time.sleep(max(0.0, start + period - time.monotonic()))

    def _show(self, frame):
        start = time.monotonic()
        people = self._estimator(frame)
        if self._view.wants_image():
            self._view.show(draw_people(frame.image.copy(), people, self._estimator.topology,
                                        not self._args.no_labels))
        found = people.detected().sum(1)
        self._view.list_people([
            Person(int(track_id), float(score), int(count), self._estimator.topology.size)
            for track_id, score, count in zip(people.track_ids, people.scores, found)])
        self._people = people.count
        self._latencies.append(time.monotonic() - start)

    def _measure(self, dropped):
        seconds = time.monotonic() - self._last
        if seconds < _PERIOD:
            return
        self._view.add_sample(Sample(len(self._latencies) / seconds,
                                     float(np.median(self._latencies)),
                                     (dropped - self._dropped) / seconds, self._people))
        self._dropped, self._latencies, self._last = dropped, [], time.monotonic()
