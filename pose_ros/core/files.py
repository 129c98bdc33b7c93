# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Atomic writes, and digests of files."""
import contextlib
import hashlib
import os
from typing import BinaryIO, Iterator

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular


@contextlib.contextmanager
def atomic_write(path: str) -> Iterator[BinaryIO]:
    """Open a stream whose content replaces `path` when the block ends.

    After an error `path` is unchanged, and no temporary file is left beside it. A symbolic link
    stays a link. OSError if the file cannot be written.
    """
    target = os.path.realpath(path)
    temporary = '{}.{}.tmp'.format(target, os.getpid())  # several processes may write it
    try:
        with open(temporary, 'wb') as stream:
            yield stream
        os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def sha256(path: str) -> str:
    """Return the SHA-256 of a file, in hexadecimal; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with open_regular(path, LARGEST_EXTERNAL) as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()
