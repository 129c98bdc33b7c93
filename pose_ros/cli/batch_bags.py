# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a bag as frames, for `pose-ros batch`."""
import contextlib
import functools

from pose_ros.core.bags.cameras import calibrated_messages, find_cameras
from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.reader import Bag, BagError

_types = functools.lru_cache(maxsize=None)(BagTypes)  # one for all bags of a process


@contextlib.contextmanager
def open_bag(path: str, max_pixels: int):
    """Yield the frames of all cameras of a bag, in the order of time.

    BagError, while they are read, for a damaged bag; ImageError for an image that is invalid.
    """
    with Bag(path) as bag:
        yield _frames(bag, max_pixels)


def _frames(bag, max_pixels):
    index = 0
    for camera, stored in calibrated_messages(bag, find_cameras(bag, (), _types(), max_pixels)):
        if camera is not None:
            yield camera.frame(camera.message(stored), index)
            index += 1
    if bag.damage:
        raise BagError('{}; `pose-ros bag` writes what can be read'.format('; '.join(bag.damage)))
