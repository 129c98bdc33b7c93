# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How every file is opened for reading: a regular file, of a size that its kind can have.

A pipe would hang its reader, and a device such as /dev/zero never ends.
"""
import errno
import os
import stat
from typing import BinaryIO

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

LARGEST_CARD = MIB         # model cards, engine facts, calibrations, configurations
LARGEST_IMAGE = 512 * MIB
LARGEST_XML = 64 * MIB
LARGEST_VIDEO = 1 << 44
LARGEST_MODEL = 2 * GIB    # of any protobuf message; TensorRT plans of such models are smaller
LARGEST_EXTERNAL = 64 * GIB  # weights beside an ONNX file
LARGEST_PACK = 256 * GIB    # images of pose-train pack
LARGEST_LABELS = 4 * GIB   # COCO's own file of 2017 has 0.25 GB

_MORE = 64 * KIB
_KINDS = ((stat.S_ISDIR, 'a folder'), (stat.S_ISFIFO, 'a pipe'), (stat.S_ISSOCK, 'a socket'),
          (stat.S_ISCHR, 'a device'), (stat.S_ISBLK, 'a device'))


def open_regular(path: str, largest: int) -> BinaryIO:
    """Open a regular file of at most `largest` bytes for reading bytes.

    OSError, with a full text as its `strerror`, for anything else: nothing is read from it.
    """
    try:
        # Without O_NONBLOCK a pipe would hang until it has a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, 'it is not a valid path ({})'.format(error), path)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            kind = next((name for test, name in _KINDS if test(found.st_mode)), 'not a file')
            raise OSError(errno.EINVAL, 'it is {}, not a regular file'.format(kind), path)
        _check_size(found.st_size, largest, path)
        return os.fdopen(descriptor, 'rb')
    except BaseException:
        os.close(descriptor)
        raise


def read_file(path: str, largest: int) -> bytes:
    """Return the content of a regular file of at most `largest` bytes; errors as above."""
    with open_regular(path, largest) as stream:
        return read_stream(stream, largest, path)


def read_stream(stream: BinaryIO, largest: int, path: str) -> bytes:
    """Return the content of a file that `open_regular` has opened; errors as above."""
    # Python takes memory for what it is asked to read, and files of /proc claim 0 bytes.
    content = stream.read(min(largest, os.fstat(stream.fileno()).st_size + _MORE) + 1)
    _check_size(len(content), largest, path)
    return content


def check_regular(path: str, largest: int) -> None:
    """Check a file that a library opens by its path; errors as of `open_regular`."""
    open_regular(path, largest).close()


def _check_size(size, largest, path):
    if size > largest:
        raise OSError(errno.EFBIG, 'it has {} bytes or more; such a file has at most {}'.format(
            size, largest), path)
