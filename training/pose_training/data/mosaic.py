# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mosaics: crops made of four smaller ones."""
from typing import List, Sequence, Tuple

import numpy as np

from pose_training.data.geometry import Crop
from pose_training.families.family import Targets

Piece = Tuple[Crop, Targets]


def draw_tiles(size: Tuple[int, int], stride: int,
               random: np.random.Generator) -> List[Tuple[int, int]]:
    """Split a size (width, height) [px] at random cells of the maps; one tile if too small.

    The four tiles are upper left, upper right, lower left, lower right.
    """
    if min(size) < 2 * stride:
        return [tuple(size)]
    (left, right), (upper, lower) = (_part(side // stride, random) for side in size)
    return [(width * stride, height * stride) for height in (upper, lower)
            for width in (left, right)]


def _part(cells, random):
    first = min(max(1, int(round(cells * random.uniform(.35, .65)))), cells - 1)
    return first, cells - first


def put_together(pieces: Sequence[Piece]) -> Piece:
    """Join four tiles (upper left, upper right, lower left, lower right) into one crop.

    Images are (h, w, 3), maps (C, h / stride, w / stride). Keypoints beyond a seam are dropped, as
    at the edge of an image.
    """
    crops, targets = zip(*pieces)
    height, width = crops[0].image.shape[:2]
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    nowhere = [np.full((len(crop.people), 4, 2), np.nan) for crop in crops]
    crop = Crop(
        _laid([crop.image for crop in crops], 0),
        np.concatenate([_within(crop) + np.array([*corner, 0], np.float32)
                        for crop, corner in zip(crops, corners)]),
        np.concatenate([crop.scales for crop in crops]),
        _laid([crop.known for crop in crops], 0),
        np.all([crop.labelled for crop in crops], axis=0),
        np.concatenate([(none if crop.regions is None else crop.regions) + corner
                        for crop, none, corner in zip(crops, nowhere, corners)]),
        all(crop.complete for crop in crops))
    maps = Targets(_laid([target.maps for target in targets], 1),
                   _laid([target.weights for target in targets], 1))
    return crop, maps


def _within(crop):
    """Return the crop's people without the keypoints that another tile covers."""
    height, width = crop.image.shape[:2]
    people = crop.people.copy()
    points = people[..., :2]
    people[((points < -.5) | (points > (width - .5, height - .5))).any(-1), 2] = 0
    return people


def _laid(tiles, axis):
    upper, lower = (np.concatenate(pair, axis + 1) for pair in (tiles[:2], tiles[2:]))
    return np.concatenate([upper, lower], axis)
