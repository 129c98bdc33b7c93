# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: the system refuses to make a file larger than a limit."""
import contextlib
import resource


@contextlib.contextmanager
def full_disk(size):
    """Let every write beyond `size` bytes of a file fail, in this process (EFBIG, not ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))  # Python ignores SIGXFSZ
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
