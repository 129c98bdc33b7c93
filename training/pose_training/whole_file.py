# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear when they are whole, or not at all."""
import contextlib
import os
from typing import BinaryIO, Iterator


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """Open a stream whose content takes the place of `path` on a clean exit.

    After an error `path` is as it was, and nothing is left beside it. A link stays a link. Raises
    OSError if the file cannot be written.
    """
    target = os.path.realpath(path)
    temporary = '{}.{}.tmp'.format(target, os.getpid())  # several processes may be at it
    try:
        with open(temporary, 'wb') as stream:
            yield stream
        os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
