# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by image, video and camera: frames to the estimator, people to files, counts."""
import argparse
import collections
import contextlib
import functools
import os
import signal
import sys
import threading

import numpy as np

from pose_ros.core.coco_ids import CocoIds
from pose_ros.core.command_files import check_outputs, is_stdout
from pose_ros.core.command_options import model_inputs
from pose_ros.core.draw import draw_people
from pose_ros.core.errors import CardError, ImageError, OutputError, shown
from pose_ros.core.panels import draw_panels, has_maps
from pose_ros.core.results import FORMS, open_results
from pose_ros.core.sources import FrameSource, open_source

INTERRUPTED = 130  # the shell's code for Ctrl-C
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_REMEMBERED = 10000  # frames whose times are in the summary; a camera may run for days


class Run:
    """Processes frames, and counts frames, people and failures.

    `outputs` have `add(frame, people)`. `interrupted` becomes true when the user stops the run.
    """

    def __init__(self, estimator, outputs, bar, given=None):
        """Take the estimator, a list of outputs, a progress bar, and the boxes that are given."""
        self.frames = self.people = self.failures = 0
        self.interrupted = False
        self._estimator, self._outputs, self._bar = estimator, outputs, bar
        self._given = given
        self._timings = collections.deque(maxlen=_REMEMBERED)

    def add(self, frame):
        """Find the people of one frame, pass them to the outputs, and return them.

        OutputError if one of them cannot be written.
        """
        boxes = self._given and [self._given.find(frame, self._estimator.topology)]
        people = self._estimator.run([frame], boxes)[0]
        self.take(frame, people)
        return people

    def take(self, frame, people, timed=True):
        """Count the people of a frame and pass them to the outputs; errors as of `add`.

        timed: whether the estimator has found them now.
        """
        if timed:
            self._timings.append(self._estimator.timings)
        for output in self._outputs:
            output.add(frame, people)
        self.frames += 1
        self.people += people.count
        self._bar.update(1)

    def fail(self, message, failures=1) -> None:
        """Report a failure, and count it."""
        self.failures += failures
        # One line each: messages of runtimes may contain tracebacks.
        self._bar.write('pose-ros: error: ' + shown(' '.join(str(message).split())),
                        file=sys.stderr)

    def summary(self) -> str:
        """Return one line: frames, people, failures, limits, and the median time of each stage."""
        text = '{}, {} found'.format(plural(self.frames, 'frame', 'frames'),
                                     plural(self.people, 'person', 'people'))
        if self.failures:
            text += ', {} failed'.format(self.failures)
        for stage in self._estimator.stages:
            for name, number in stage.counters.items():
                if number and name.endswith('_skipped'):
                    text += ', {} {} ({}.max_people)'.format(
                        number, name.replace('_', ' '), stage.name)
        if self._timings:
            times = np.array([list(timings.values()) for timings in self._timings])
            times = 1e3 * np.column_stack([times, times.sum(1)])
            text += '; median ms: ' + ', '.join(
                '{} {:.1f}'.format(stage, middle) for stage, middle in
                zip(list(self._timings[0]) + ['total'], np.median(times, 0)))
        return text + (' (interrupted)' if self.interrupted else '')


def check_run_outputs(args, inputs, others=None) -> None:
    """Check the outputs against the inputs, the model's files and each other.

    others: paths of further outputs by their names.
    """
    boxes, panels = getattr(args, 'boxes', None), getattr(args, 'panels', None)  # of images alone
    if args.annotations and not (boxes or args.coco):
        raise argparse.ArgumentError(None, 'argument --annotations: it needs --coco')
    outputs = {'--' + form: path for form, path in result_paths(args)}
    check_outputs(dict(outputs, **dict({'--output': _as_folder(args.output),
                                        '--panels': _as_folder(panels)}, **(others or {}))),
                  list(inputs) + model_inputs(args) + [args.annotations, boxes], list(outputs))


def result_paths(args) -> list:
    """Return (form, path) of each result file that is asked for."""
    return [(form, getattr(args, form)) for form in FORMS if getattr(args, form)]


def _as_folder(path):
    """Return a path of drawings, with / at its end if it is a folder."""
    return os.path.join(path, '') if path and not os.path.splitext(path)[1] else path


@contextlib.contextmanager
def prepared(args, estimator, make_overlay, bar, given=None, make_panels=None):
    """Yield a Run with the outputs of the options; then close them, and print the summary.

    make_overlay(draw) and make_panels(draw) open the drawings of people and of maps; None for
    none. given: see Run; CardError if the model takes no boxes, or yields no maps.
    """
    ids = CocoIds(args.annotations) if args.annotations else None
    outputs = []
    run = Run(estimator, outputs, bar, given)
    with contextlib.ExitStack() as stack:
        stack.callback(estimator.close)
        stack.callback(bar.close)
        if given and estimator.card.input.fit != 'crop':
            raise CardError('{} takes whole images: boxes are for a network of crops'.format(
                estimator.card.name))
        if make_panels and not has_maps(estimator.network):
            raise CardError('{} yields no maps to draw: its decoder has the type {!r}'.format(
                estimator.card.name, estimator.card.decoder.type))

        def add(output):
            outputs.append(output)
            stack.push(lambda *error: _finish(output, run, *error))
        for form, path in result_paths(args):
            add(open_results(path, form, estimator.topology, estimator.card.name, ids))
        if make_overlay:
            add(make_overlay(lambda frame, people: draw_people(
                frame.image.copy(), people, estimator.topology, not args.no_labels)))
        if make_panels:
            add(make_panels(functools.partial(draw_panels, estimator)))
        if not args.quiet:
            for network in estimator.networks:
                print(shown('{} by {}'.format(network.card.name, network.engine.describe())),
                      file=sys.stderr)
        stack.enter_context(_stopped_by_signals(run))
        yield run
    if not args.quiet:
        to_stdout = [path for _, path in result_paths(args) if is_stdout(path)]
        print(run.summary(), file=sys.stderr if to_stdout else sys.stdout)


def _finish(output, run, *error):
    """Finish an output; a failure is reported, and the other outputs are still finished."""
    try:
        output.__exit__(*error)
    except OutputError as failure:
        run.fail(failure)


def open_file(path: str, max_pixels: int, loop: bool = False) -> FrameSource:
    """Open an image, a folder of images, a video file, or 'demo'; ImageError otherwise."""
    if path == 'demo':
        return open_source(path, loop, max_pixels=max_pixels)
    if not os.path.exists(path):
        raise ImageError('there is no file or folder {!r}; check the path'.format(path))
    # A full path, because a number is a camera.
    return open_source(os.path.abspath(path), loop, max_pixels=max_pixels)


@contextlib.contextmanager
def _stopped_by_signals(run):
    """Let a signal end the run after the current frame, so that files are finished.

    Ctrl-C, SIGTERM, or SIGHUP of a closed terminal. A second signal has its usual effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # Ignored signals stay ignored, such as SIGINT in a background job of a script.
    before = {number: handler for number, handler in before.items()
              if handler not in (signal.SIG_IGN, None)}

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(_number, _frame):
        run.interrupted = True
        restore()
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def plural(count: int, one: str, many: str) -> str:
    """Return a count with its noun."""
    return '{} {}'.format(count, one if count == 1 else many)
