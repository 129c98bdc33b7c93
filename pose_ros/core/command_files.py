# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The files that a command writes, checked before it begins: no output destroys another file."""
import argparse
import contextlib
import json
import os
import sys
from typing import Any, BinaryIO, Iterator, Mapping, Optional, Sequence

from pose_ros.core.errors import cannot_write
from pose_ros.core.files import atomic_write, check_writable, file_id
from pose_ros.core.sources.images import image_names, IMAGE_EXTENSIONS

STDOUT = '-'
_STDOUT_PLACE = ('stdout',)


def check_outputs(outputs: Mapping[str, Optional[str]], inputs: Sequence[Optional[str]] = (),
                  text_options: Sequence[str] = ('--json',)) -> None:
    """Raise argparse.ArgumentError unless every output is a file of its own.

    `outputs` are paths by option; a path that is a folder or ends in / stands for all files that
    the command writes into it. `inputs` are the paths that the command reads; a folder stands for
    its images. None is skipped. Two paths are the same file also through links. One output of
    `text_options` may go to stdout, and none may have the name of an image, which a dataset may
    list.
    OutputError for an output that cannot be written.
    """
    given = [path for path in inputs if path]
    taken = _streams()
    for option, path in outputs.items():
        if path is None:
            continue
        to_stdout = option in text_options and is_stdout(path)
        place = _STDOUT_PLACE if to_stdout else file_id(path)
        if to_stdout:
            _check_taken(option, path, taken.get(place))
        elif _is_folder(path):
            _check_folder(option, path, given)
        else:
            _check_file(option, path, given)
            _check_taken(option, path, taken.get(place))
        taken[place] = option
    for option in text_options:
        path = outputs.get(option) or ''
        if os.path.realpath(path).lower().endswith(IMAGE_EXTENSIONS):
            raise _invalid(option, '{!r} is the name of an image, and the output is text'.format(
                path))


def is_stdout(path: str) -> bool:
    """Return whether output to a path goes to stdout: '-', /dev/stdout, the file that it is."""
    if path == STDOUT:
        return True
    try:
        return os.path.samestat(os.stat(path), os.fstat(sys.stdout.fileno()))
    except (AttributeError, OSError, ValueError):  # no such file, or a stdout without a number
        return False


@contextlib.contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """Open a stream whose content replaces `path` when the block ends, or goes to stdout."""
    if is_stdout(path):
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with atomic_write(path) as stream:
        yield stream


def write_json(path: str, data: Any, indent: Optional[int] = None) -> None:
    """Write JSON data to a file, whole or not at all, or to stdout; OSError if that fails."""
    with open_output(path) as stream:
        stream.write((json.dumps(data, indent=indent) + '\n').encode('utf-8'))


def report_stream(path: Optional[str]):
    """Return the stream for what a command prints besides the output `path`."""
    return sys.stderr if path and is_stdout(path) else sys.stdout


def _check_taken(option, path, other):
    if other:
        raise _invalid(option, '{!r} is also the file of {}; choose another path'.format(
            path, other))


def _streams():
    """Return the files to which stdout and stderr go, by identity."""
    places = {'stdout': '/dev/fd/1', 'stderr': '/dev/fd/2'}
    return {file_id(place): name for name, place in places.items() if os.path.isfile(place)}


def _is_folder(path):
    return os.path.isdir(path) or path.endswith(os.sep)


def _check_file(option, path, inputs):
    """Refuse an input, and a file that cannot be written."""
    for found in _files(inputs) if os.path.exists(path) else inputs:
        if file_id(found) == file_id(path):
            raise _invalid(option, '{!r} would overwrite the input {!r}; choose another '
                                   'path'.format(path, found))
    try:
        check_writable(path)
    except OSError as error:
        raise cannot_write(path, error)


def _check_folder(option, path, inputs):
    """Refuse a folder that holds an input, whatever their names."""
    if not os.path.isdir(path):
        return
    for found in _files(inputs):
        for place in (os.path.abspath(found), os.path.realpath(found)):
            if file_id(os.path.dirname(place)) == file_id(path):
                raise _invalid(option, '{!r} would overwrite the input {!r}; choose another '
                                       'folder'.format(path, found))


def _files(paths):
    """Yield the paths, with each folder replaced by the images in it."""
    for path in paths:
        if os.path.isdir(path):
            for name in image_names(path):
                yield os.path.join(path, name)
        else:
            yield path


def _invalid(option, message):
    return argparse.ArgumentError(None, 'argument {}: {}'.format(option, message))
