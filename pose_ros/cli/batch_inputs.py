# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What `pose-ros batch` works on: the inputs, their kinds, and the names of their results."""
import argparse
import os
from typing import List, NamedTuple, Optional, Sequence

from pose_ros.core.bundled import find_models
from pose_ros.core.command_options import with_companions
from pose_ros.core.engines import ENGINE_PARAMETERS
from pose_ros.core.errors import ImageError
from pose_ros.core.files import file_id, natural_key
from pose_ros.core.reading import read_file
from pose_ros.core.sources.images import IMAGE_EXTENSIONS
from pose_ros.core.version import VERSION

IMAGE, VIDEO, BAG = 'image', 'video', 'bag'
# Endings of the files of a folder that are taken, by kind.
ENDINGS = {IMAGE: IMAGE_EXTENSIONS,
           VIDEO: ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv'),
           BAG: ('.mcap', '.db3')}
_BAG_FILE = 'metadata.yaml'  # a folder with this file and files of a bag is one input
_LARGEST_LIST = 1 << 28  # bytes
# Options that change neither results nor which inputs there are.
_NOT_IN_KEY = ('command', 'run', 'input', 'output', 'workers', 'ray', 'threads', 'quiet',
               'restart')


class Input(NamedTuple):
    """A file or the folder of a bag, its kind (a key of ENDINGS), and the path of its result."""

    path: str
    kind: str
    result: str

    def is_done(self, key_path: str) -> bool:
        """Return whether the result is there, and not older than the input and the run's key."""
        try:
            made = os.stat(self.result).st_mtime_ns
            return made >= max(os.stat(path).st_mtime_ns for path in (self.path, key_path))
        except OSError:
            return False


def find_inputs(source: str, output: str, ending: str) -> List[Input]:
    """Return the inputs in a folder and the folders in it, or those that a text file lists.

    A list has one path per line, relative to the list; lines that begin with # do not count. The
    result of a/b.jpg is OUTPUT/a/b.jpg + ending: paths stay as they are below the folder, or below
    the folder that all files of the list are in. ImageError if there is nothing.
    """
    if os.path.isdir(source):
        root, paths = os.path.abspath(source), _in_folder(os.path.abspath(source))
    else:
        paths = _listed(source)
        root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ''
    if not paths:
        raise ImageError('{} {} no images, videos or bags: looked for {}'.format(
            source, 'holds' if os.path.isdir(source) else 'lists', ', '.join(
                ending for endings in ENDINGS.values() for ending in endings)))
    return [Input(path, _kind(path) or VIDEO,  # of a list; a video is judged by its content
                  os.path.join(output, os.path.relpath(path, root) + ending)) for path in paths]


def check_results(inputs: Sequence[Input], others: Sequence[Optional[str]]) -> None:
    """Raise argparse.ArgumentError if a result is an input, or one of `others`."""
    read = {file_id(each.path) for each in inputs} | {file_id(path) for path in others if path}
    for each in inputs:
        if file_id(each.result) in read:
            raise argparse.ArgumentError(None, 'argument -o/--output: {!r} would overwrite an '
                                               'input; choose another folder'.format(each.result))


def run_key(args) -> dict:
    """Return, ready for JSON, what must be equal for a run to add to the results of another."""
    options = {name: value for name, value in sorted(vars(args).items())
               if name not in _NOT_IN_KEY}
    models = find_models(args.model, args.detector)
    files = with_companions([path for path in list(models) + [args.hands, args.face] if path])
    stamps = sorted((os.path.abspath(path), os.stat(path).st_size, os.stat(path).st_mtime_ns)
                    for path in files + [args.card or ''] if os.path.isfile(path))
    return {'version': VERSION, 'options': options, 'models': [list(stamp) for stamp in stamps]}


def engine_threads(args, workers: int) -> dict:
    """Return the engine options of one of several workers: its share of the cores."""
    options = {parameter.name: getattr(args, parameter.name) for parameter in ENGINE_PARAMETERS}
    share = max(1, (os.cpu_count() or 1) // workers)
    return dict(options, threads=options['threads'] or share)


def _kind(path):
    if os.path.isdir(path):
        return BAG
    return next((kind for kind, endings in ENDINGS.items() if path.lower().endswith(endings)), '')


def _in_folder(root):
    found = []
    for folder, folders, names in os.walk(root):
        folders.sort(key=natural_key)
        if _BAG_FILE in names and any(name.lower().endswith(ENDINGS[BAG]) for name in names):
            found.append(folder)
            names = [name for name in names if not name.lower().endswith(ENDINGS[BAG])]
        found += [os.path.join(folder, name) for name in sorted(names, key=natural_key)
                  if _kind(name) and not name.startswith('.')]
    return found


def _listed(source):
    try:
        lines = read_file(source, _LARGEST_LIST).decode('utf-8').splitlines()
    except OSError as error:
        raise ImageError('cannot read the list {}: {}'.format(source, error.strerror))
    except UnicodeDecodeError:
        raise ImageError('{} is neither a folder nor a text file that lists inputs, one path per '
                         'line'.format(source))
    base = os.path.dirname(os.path.abspath(source))
    paths = [os.path.normpath(os.path.join(base, line.strip())) for line in lines
             if line.strip() and not line.startswith('#')]
    return list(dict.fromkeys(paths))
