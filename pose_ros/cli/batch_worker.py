# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What one worker of `pose-ros batch` does: an input to its result file."""
import itertools
import os
from typing import Any, Dict, NamedTuple

from pose_ros.cli.batch_inputs import IMAGE, Input, VIDEO
from pose_ros.core.command_options import load_estimator
from pose_ros.core.errors import ImageError, PoseRosError, cannot_write, shown
from pose_ros.core.results import open_results
from pose_ros.core.sources import open_source

_estimators: Dict[str, Any] = {}  # of this process, by options: loaded once
_state = {'stopped': False, 'working': False}


class Outcome(NamedTuple):
    """How an input ended: frames and people, or an error."""

    frames: int
    people: int
    error: str = ''


def stop() -> None:
    """Let this process give up its input at the next frame, and every later one."""
    _state['stopped'] = True


def is_working() -> bool:
    """Return whether this process labels an input."""
    return _state['working']


def label(item: Input, args) -> Outcome:
    """Find the people of an input and write its result, whole or not at all."""
    _state['working'] = True
    try:
        estimator = _loaded(args)
        try:
            return _LABELERS[item.kind](item, args, estimator)
        finally:
            estimator.forget(item.path)
    except (PoseRosError, OSError) as error:
        return Outcome(0, 0, shown(' '.join(str(error).split())))
    finally:
        _state['working'] = False


def _label_frames(item, args, estimator):
    """Label an image or a video. Its people do not depend on what was labeled before."""
    frames = people = 0
    if not os.path.isfile(item.path):
        raise ImageError('there is no file {}'.format(item.path))
    try:
        os.makedirs(os.path.dirname(item.result), exist_ok=True)
    except OSError as error:
        raise cannot_write(item.result, error)
    with open_source(item.path, max_pixels=args.max_pixels) as source:
        with open_results(item.result, args.format, estimator.topology,
                          estimator.card.name) as results:
            for frame in itertools.islice(source, args.max_frames):
                if _state['stopped']:
                    raise PoseRosError('stopped')
                frame = frame._replace(
                    source=item.path,
                    time_s=float('nan') if item.kind == IMAGE else frame.time_s)
                found = estimator.run([frame])[0]
                results.add(frame, found)
                frames, people = frames + 1, people + found.count
    return Outcome(frames, people)


# By kind of input: label(item, args, estimator) -> Outcome.
_LABELERS = {IMAGE: _label_frames, VIDEO: _label_frames}


def _loaded(args):
    key = repr(sorted(vars(args).items(), key=str))
    if key not in _estimators:
        _estimators[key] = load_estimator(args)
    return _estimators[key]
