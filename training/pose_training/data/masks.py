# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Masks of the people without keypoint labels, from polygons, run-length codes and boxes."""
import math
from typing import Optional, Tuple

import cv2
import numpy as np


def ignore_mask(sample, width: int, height: int) -> Optional[np.ndarray]:
    """Return (height, width) uint8, 1 at the `ignored` people of a Sample; None without any.

    The mask has COCO's segmentations where they are given (polygons or run lengths), else every
    pixel that a box touches.
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


def ignored_mask(sample, width: int, height: int) -> Optional[np.ndarray]:
    """Return the mask of a Sample whose image was resized to (width, height)."""
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
    from pycocotools import mask as coco_mask  # not needed for training from packed images
    if isinstance(outline, list):
        encoded = coco_mask.merge(coco_mask.frPyObjects(outline, height, width))
    elif isinstance(outline['counts'], list):
        encoded = coco_mask.frPyObjects(outline, height, width)
    else:
        encoded = outline
    return coco_mask.decode(encoded)


def outline_fault(outline, size: Tuple[int, int]) -> Optional[str]:
    """Return the fault of a segmentation for an image of (height, width), None if it is valid.

    pycocotools does not check run-length codes: if the runs do not add up to the image, it reads
    and writes beyond its memory. Hence they are decoded and added up here first.
    """
    if isinstance(outline, list):
        if not all(isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0
                   and are_numbers(ring) for ring in outline):
            return 'a polygon of its segmentation is not a list of three or more x, y'
        return None
    if not isinstance(outline, dict) or not outline.get('counts') or 'size' not in outline:
        return 'its segmentation is neither a list of polygons nor a run-length code'
    if tuple(outline['size']) != size:
        return 'its segmentation is for {} (height, width), the image is {}'.format(
            list(outline['size']), list(size))
    counts = outline['counts']
    runs = _runs(counts) if isinstance(counts, str) else counts
    if not are_numbers(runs) or min(runs) < 0 or sum(runs) != size[0] * size[1]:
        return 'the runs of its segmentation do not add up to the image'
    return None


def _runs(text):
    """Decode a compressed run-length code (maskApi.c, rleFrString).

    Each character has 5 bits; from the fourth run on, the last run but one is subtracted.
    """
    runs, value, shift = [], 0, 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    return runs


def are_numbers(values) -> bool:
    """Return whether all values are finite numbers."""
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)
