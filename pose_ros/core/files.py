# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Atomic writes, names in natural order, and digests of files."""
import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import stat
from typing import Any, BinaryIO, Iterator, Tuple

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular


@contextlib.contextmanager
def atomic_write(path: str, follow_links: bool = True) -> Iterator[BinaryIO]:
    """Open a stream whose content replaces `path` when the block ends.

    See atomic_file. An error while writing, such as a full disk, is an OSError that names `path`.
    """
    with atomic_file(path, follow_links=follow_links) as temporary:
        raw = _NamedFile(temporary, path)
        try:
            stream = io.BufferedWriter(raw)
            yield stream
            stream.close()
        finally:
            raw.close()  # after an error the rest of the buffer is dropped


@contextlib.contextmanager
def atomic_file(path: str, ending: str = '.tmp', follow_links: bool = True) -> Iterator[str]:
    """Yield the path of a new, empty file beside `path`, which replaces it when the block ends.

    The new file has a random name with the given ending, and is created exclusively: a file or
    link that was planted in a shared folder is never opened. After an error `path` is unchanged,
    and the new file is removed. A symbolic link at `path` stays a link; with follow_links=False,
    for paths that no user chose, the link itself is replaced. OSError if `path` cannot be written.
    """
    target = os.path.realpath(path) if follow_links else os.path.abspath(path)
    check_writable(path, follow_links)
    temporary = os.path.join(os.path.dirname(target),
                             '.pose_ros_{}{}'.format(secrets.token_hex(8), ending))
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path)
    try:
        with contextlib.suppress(OSError):  # there is no earlier file, or the disk has no modes
            os.fchmod(descriptor, stat.S_IMODE(os.lstat(target).st_mode) | stat.S_IWUSR)
        os.close(descriptor)
        yield temporary
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


class _NamedFile(io.FileIO):
    """A file whose errors name the path that it will have."""

    def __init__(self, temporary, path):
        super(_NamedFile, self).__init__(temporary, 'r+b')
        self._path = path

    def write(self, data):
        try:
            return super(_NamedFile, self).write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path)


def check_writable(path: str, follow_links: bool = True) -> None:
    """Raise OSError, with the reason, unless `path` can become a file or be replaced by one."""
    target = os.path.realpath(path) if follow_links else os.path.abspath(path)
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, 'it is not a file, but a folder', path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, 'there is no folder ' + folder, path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, 'the folder {} is read-only'.format(folder), path)
    if os.path.islink(target) or not os.path.exists(target):
        return
    if not os.path.isfile(target):
        raise OSError(errno.EINVAL, 'it is not a file', path)
    # The mode counts for root, too, for which os.access always succeeds.
    if not (os.access(target, os.W_OK) and os.stat(target).st_mode & 0o222):
        raise PermissionError(errno.EACCES, 'the file is read-only', path)


def file_id(path: str) -> Tuple[Any, ...]:
    """Return what is equal for two paths of one file, existing or not, links included."""
    try:
        found = os.stat(path)
        return found.st_dev, found.st_ino
    except OSError:
        folder, name = os.path.split(os.path.realpath(path))
    try:
        parent = os.stat(folder)
        return parent.st_dev, parent.st_ino, name
    except OSError:
        return folder, name


def natural_key(name: str) -> Tuple[Any, ...]:
    """Return a key that sorts numbers in names by value: frame_2 comes before frame_10."""
    parts = re.split(r'([0-9]+)', name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def sha256(path: str) -> str:
    """Return the SHA-256 of a file, in hexadecimal; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with open_regular(path, LARGEST_EXTERNAL) as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def cache_folder(name: str) -> str:
    """Return $XDG_CACHE_HOME/pose_ros/NAME, in ~/.cache where that is not set.

    '' without an absolute path: the user has no home (a container, a service).
    """
    base = os.environ.get('XDG_CACHE_HOME', '')
    if not os.path.isabs(base):  # to be ignored by the XDG Base Directory Specification
        base = os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'pose_ros', name) if os.path.isabs(base) else ''
