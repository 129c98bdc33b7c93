# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: a limit on the size of files, or a file system of 64 KiB."""
import contextlib
import resource
import subprocess

import pytest


@contextlib.contextmanager
def full_disk(size):
    """Let every write beyond `size` bytes of a file fail, in this process (EFBIG, not ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))  # Python ignores SIGXFSZ
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def tiny_disk(folder):
    """Mount a file system of 64 KiB on a folder; skip the test where that is not allowed."""
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', str(folder)],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if mounted.returncode:
        pytest.skip('no file system can be mounted here: {!r}'.format(mounted.stdout))
    try:
        yield folder
    finally:
        subprocess.run(['umount', str(folder)])
