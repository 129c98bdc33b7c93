# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Other backgrounds for images with a mask, such as hands before a screen of one color."""
import os
from typing import Dict, List, Sequence

import cv2
import numpy as np

from pose_ros.core.sources.images import image_names
from pose_ros.core.topology import Topology
from pose_training.data.annotations import read_dataset, Sample
from pose_training.data.geometry import cover
from pose_training.data.images import ImageReader
from pose_training.errors import DataError


class Backgrounds:
    """Puts the masked part of the images of samples before images of folders.

    Raises DataError for a folder without images.
    """

    def __init__(self, samples: Sequence[Sample], folders: Sequence[str], topology: Topology,
                 max_side: int, max_pixels: int):
        self._masked = np.array([bool(sample.mask) for sample in samples])
        self._masks = ImageReader([sample._replace(path=sample.mask) for sample in samples],
                                  max_side, max_pixels)
        self._images = ImageReader(sum((read_dataset(folder, topology) for folder in folders), []),
                                   max_side, max_pixels)

    def replace(self, image: np.ndarray, index: int, random: np.random.Generator) -> np.ndarray:
        """Return image (H, W, 3) of a sample before another one; unchanged without a mask."""
        mask = self._masks.read(index) if self._masked[index] else None
        behind = None if mask is None else self._images.draw_empty(random)
        if mask is None or behind is None:
            return image
        size = image.shape[1::-1]
        share = cv2.resize(mask[..., 0], size, interpolation=cv2.INTER_AREA)[..., None] / 255.
        mixed = share * image + (1 - share) * cover(behind, size, random)
        return np.rint(mixed).astype(np.uint8)


def with_masks(samples: List[Sample], folder: str) -> List[Sample]:
    """Return samples with the masks of a folder, found by the names of their images.

    The endings may differ. Raises DataError if no image has one.
    """
    if not os.path.isdir(folder):
        raise DataError('the folder of masks {} is not there'.format(folder))
    names: Dict[str, str] = {os.path.splitext(name)[0]: os.path.join(folder, name)
                             for name in image_names(folder)}
    found = []
    for sample in samples:
        stem = os.path.splitext(os.path.basename(sample.path))[0]
        found.append(sample._replace(mask=names.get(stem, '')))
    if not any(sample.mask for sample in found):
        raise DataError('the folder of masks {} has none for {} images, such as {}: the names '
                        'must be equal up to the ending'.format(
                            folder, len(samples), os.path.basename(samples[0].path)))
    return found
