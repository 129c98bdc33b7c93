# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One picture that tells how a training goes: what the network says, and what it should."""
from typing import Optional

import numpy as np

from pose_ros.core.card import ModelCard
from pose_ros.core.draw import draw_people
from pose_ros.core.people import People
from pose_training.data.pictures import arrange, blend, blend_fields, enlarge, Panel
from pose_training.exporters.cards import map_channels


def draw_fit(image: np.ndarray, target: np.ndarray, maps: np.ndarray, card: ModelCard,
             people: Optional[People], caption: str = '') -> np.ndarray:
    """Return a BGR picture of two rows: people, joints and fields as found, and as wanted.

    `image` is (H, W, 3) uint8 BGR; `target` and `maps` (C, h, w), heat maps first; `people` in
    pixels of the image, None where the maps cannot be decoded.
    """
    keypoints, heatmaps = map_channels(card)
    axis_order = card.outputs['pafs']['axis_order'] if 'pafs' in card.outputs else 'xy'
    found = enlarge(image)
    if people is not None:
        zoom = found.shape[1] // image.shape[1]
        moved = people.with_points((people.keypoints[..., :2] + .5) * zoom - .5)
        found = draw_people(found, moved, card.topology)
    panels = []
    for name, values, first in (('found', maps, found), ('wanted', target, enlarge(image))):
        panels += [Panel('people found' if name == 'found' else 'what the network sees', first),
                   Panel('joints ' + name, blend(image, values[:keypoints].max(0))),
                   Panel('fields ' + name, blend_fields(image, values[heatmaps:], axis_order))]
    return arrange(panels, caption, columns=3)
