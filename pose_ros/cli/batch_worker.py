# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What one worker of `pose-ros batch` does: an input to its result file."""
import contextlib
import itertools
import os
from typing import Any, Dict, NamedTuple

from pose_ros.cli.batch_inputs import BAG, IMAGE, Input, VIDEO
from pose_ros.core.bags.library import need_bag_libraries
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
        return _label(item, args, _loaded(args))
    except (PoseRosError, OSError) as error:
        return Outcome(0, 0, shown(' '.join(str(error).split())))
    finally:
        _state['working'] = False


def _label(item, args, estimator):
    """Label an input. Its people do not depend on what was labeled before."""
    frames = people = 0
    if not os.path.exists(item.path):
        raise ImageError('there is no file {}'.format(item.path))
    try:
        os.makedirs(os.path.dirname(item.result), exist_ok=True)
    except OSError as error:
        raise cannot_write(item.result, error)
    sources = set()
    try:
        with _FRAMES[item.kind](item, args) as source, open_results(
                item.result, args.format, estimator.topology, estimator.card.name) as results:
            for frame in itertools.islice(source, args.max_frames):
                if _state['stopped']:
                    raise PoseRosError('stopped')
                sources.add(frame.source)
                found = estimator.run([frame])[0]
                results.add(frame, found)
                frames, people = frames + 1, people + found.count
    finally:
        for name in sources:
            estimator.forget(name)
    return Outcome(frames, people)


@contextlib.contextmanager
def _still_images(item, args):
    with open_source(item.path, max_pixels=args.max_pixels) as source:
        yield (frame._replace(time_s=float('nan')) for frame in source)


def _video(item, args):
    return open_source(item.path, max_pixels=args.max_pixels)


@contextlib.contextmanager
def _bag(item, args):
    need_bag_libraries()
    from pose_ros.cli.batch_bags import open_bag  # imports these libraries
    with open_bag(item.path, args.max_pixels) as frames:
        yield frames


# By kind of input: a context manager of (item, args) that yields its frames.
_FRAMES = {IMAGE: _still_images, VIDEO: _video, BAG: _bag}


def _loaded(args):
    key = repr(sorted(vars(args).items(), key=str))
    if key not in _estimators:
        _estimators[key] = load_estimator(args)
    return _estimators[key]
