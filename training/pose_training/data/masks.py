# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a photograph shows people of whom nothing is known."""
from typing import Optional

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from pose_training.data.annotations import Sample


def ignore_mask(sample: Sample, width: int, height: int) -> Optional[np.ndarray]:
    """Return (height, width) uint8, 1 where nothing is known of the people there, or None.

    COCO's outlines where they are given (polygons or run lengths), else boxes: every pixel that
    one touches.
    """
    if not sample.ignored:
        return None
    mask = np.zeros((height, width), np.uint8)
    for annotation in sample.ignored:
        outline = annotation.get('segmentation')
        if outline:
            mask |= _outline_mask(outline, height, width)
        else:
            fill_box(mask, annotation['bbox'])
    return mask


def photograph_mask(sample: Sample, width: int, height: int) -> Optional[np.ndarray]:
    """Return the mask of a photograph that was resized to (width, height) when it was read."""
    mask = ignore_mask(sample, *(sample.size or (width, height)))
    if mask is not None and mask.shape != (height, width):
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return mask


def fill_box(mask: np.ndarray, box) -> None:
    """Set the pixels that a box (left, top, width, height) [px] touches to 1."""
    x, y, w, h = box
    mask[max(0, int(np.floor(y))):max(0, int(np.ceil(y + h))),
         max(0, int(np.floor(x))):max(0, int(np.ceil(x + w)))] = 1


def _outline_mask(outline, height, width):
    if isinstance(outline, list):
        encoded = coco_mask.merge(coco_mask.frPyObjects(outline, height, width))
    elif isinstance(outline['counts'], list):
        encoded = coco_mask.frPyObjects(outline, height, width)
    else:
        encoded = outline
    return coco_mask.decode(encoded)
