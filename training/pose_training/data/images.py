# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read and reduce the images of a run, and keep them in memory; invalid images are replaced."""
import logging
import os
from typing import List, Optional, Sequence

import cv2
import numpy as np
import torch

from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.sources.images import read_image
from pose_training.data.annotations import Sample
from pose_training.errors import DataError

_LOG = logging.getLogger('pose_training')
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
        try:
            return self._reduced(_read(self._samples[index], self._max_pixels))
        except ImageError as error:
            self._faulty[index] = True
            _LOG.warning('%s; the training continues without it (%d of %d images cannot be '
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


def _read(sample, max_pixels):
    """Read an image in the orientation of its labels: upright, or as it is stored."""
    image = read_image(sample.path, max_pixels)
    if sample.size is None or _fits(image, sample.size):
        return image
    stored = read_image(sample.path, max_pixels, orient=False)
    if not _fits(stored, sample.size):
        raise ImageError('the image file {} has {} x {} pixels, but its labels are for {} x '
                         '{}'.format(sample.path, image.shape[1], image.shape[0], *sample.size))
    return stored


def _fits(image, size):
    """Return whether an image has the size, or is a resized copy (one side may be a pixel off)."""
    height, width = image.shape[:2]
    return abs(width * size[1] / size[0] - height) <= max(1., .01 * height)
