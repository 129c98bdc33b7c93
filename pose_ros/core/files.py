# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear when they are whole, or not at all."""
import os


def write_whole(path: str, content: bytes) -> None:
    """Write a file that takes the place of `path` at once; OSError leaves `path` as it was."""
    temporary = '{}.{}.tmp'.format(path, os.getpid())  # several processes may be at it
    try:
        with open(temporary, 'wb') as stream:
            stream.write(content)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
