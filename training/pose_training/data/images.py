# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read and reduce the images of a run, and keep them in memory; invalid images are replaced."""
import logging
import os
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch

from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.sources.images import read_image
from pose_training.data.annotations import Sample
from pose_training.errors import DataError

_LOG = logging.getLogger('pose_training')
_NAMED = 5  # images in a message
_MOST_FAULTS = 200  # in a row: then the disk is missing, not an image


class ImageReader:
    """Reads the images of samples, reduced to `max_side` px; of more than `max_pixels` none.

    An image that cannot be read is logged once, by the first process of a loader that reads it,
    and is not read again.
    """

    def __init__(self, samples: Sequence[Sample], max_side: int, max_pixels: int = MAX_PIXELS):
        self._samples, self._max_side, self._max_pixels = samples, max_side, max_pixels
        self._kept: List[Optional[np.ndarray]] = [None] * len(samples)
        self._faulty = torch.zeros(len(samples), dtype=torch.bool).share_memory_()
        self._empty = np.flatnonzero([sample.no_people for sample in samples])

    @property
    def unusable(self) -> List[str]:
        """The files that could not be used so far, in all processes."""
        return [self._samples[index].path for index in np.flatnonzero(self._faulty.numpy())]

    def read(self, index: int) -> Optional[np.ndarray]:
        """Return (H, W, 3) uint8 BGR, or None if the image cannot be used."""
        if self._kept[index] is not None:
            return self._kept[index]
        if self._faulty[index]:
            return None
        sample = self._samples[index]
        try:
            return self._reduced(read_oriented(sample.path, sample.size, self._max_pixels))
        except ImageError as error:
            self._faulty[index] = True
            _LOG.warning('%s; it is left out (%d of %d images cannot be '
                         'used)', error, int(self._faulty.sum()), len(self._samples))
            return None

    def find(self, index: int, random: np.random.Generator) -> int:
        """Return the index, or that of another image if it cannot be used.

        Raises DataError if none can, or very many in a row.
        """
        for _ in range(_MOST_FAULTS):
            if self.read(index) is not None:
                return index
            others = np.flatnonzero(~self._faulty.numpy())
            if not len(others):
                break
            index = int(random.choice(others))
        raise DataError('{} of the {} images cannot be used, the last of them {}; see the log for '
                        'the reasons'.format(len(self.unusable), len(self._samples),
                                             self._samples[index].path))

    def draw_empty(self, random: np.random.Generator) -> Optional[np.ndarray]:
        """Return a random image without people, or None if there is none."""
        return self.read(int(random.choice(self._empty))) if len(self._empty) else None

    def preload(self, progress, most: int) -> None:
        """Keep the images in memory, up to `most` bytes; the others are read when needed.

        Raises DataError if none can be used.
        """
        taken = 0
        for index in progress(range(len(self._samples))):
            image = self.read(index)
            if image is None:
                continue
            taken += image.nbytes
            if taken > most:
                _LOG.warning('%d of %d images fit into %.1f GB of memory; the others are '
                             'read when they are needed', index, len(self._samples), most / 1e9)
                return
            self._kept[index] = image
        if not taken:
            self.find(0, np.random.default_rng(0))

    def _reduced(self, image):
        factor = self._max_side / float(max(image.shape[:2]))
        if factor >= 1:
            return image
        size = tuple(max(1, int(round(side * factor))) for side in image.shape[1::-1])
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def half_of_memory() -> int:
    """Return half the bytes of this computer's memory."""
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2


def read_oriented(path: str, size: Optional[Tuple[int, int]],
                  max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read an image in the orientation of its labels: upright, or as it is stored.

    `size` is the (width, height) [px] that its labels are for, None if they do not have it; the
    image may be a resized copy. Raises ImageError for an image that cannot be read, has more than
    `max_pixels`, or is of another shape.
    """
    image = read_image(path, max_pixels)
    if size is None or _fits(image, size):
        return image
    stored = read_image(path, max_pixels, orient=False)
    if not _fits(stored, size):
        raise ImageError('the image file {} has {} x {} pixels, but its labels are for {} x '
                         '{}'.format(path, image.shape[1], image.shape[0], *size))
    return stored


def read_labelled(path: str, size: Optional[Tuple[int, int]],
                  max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read an image in the orientation and the size of its labels; see `read_oriented`."""
    image = read_oriented(path, size, max_pixels)
    if size is None or image.shape[1::-1] == tuple(size):
        return image
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(image, tuple(size), interpolation=method)


def tell_left_out(where: str, faults: Sequence[Exception], total: int) -> None:
    """Warn of images that cannot be used; DataError if none of the `total` images can."""
    if faults and len(faults) == total:
        raise DataError('{}: none of its {} images can be used: {}'.format(
            where, total, faults[0]))
    if faults:
        _LOG.warning('%s: %d of its %d images cannot be used, and are left out: %s%s', where,
                     len(faults), total, '; '.join(map(str, faults[:_NAMED])),
                     '; ...' if len(faults) > _NAMED else '')


def _fits(image, size):
    """Return whether an image has the size, or is a resized copy (one side may be a pixel off)."""
    height, width = image.shape[:2]
    return abs(width * size[1] / size[0] - height) <= max(1., .01 * height)
