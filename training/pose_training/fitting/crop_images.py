# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw predictions and targets of one crop, to watch a training."""
from typing import Optional

import numpy as np

from pose_ros.core.draw import draw_people
from pose_ros.core.people import People
from pose_training.data.panels import arrange, enlarge, Panel, zoomed
from pose_training.families.family import Family


def draw_fit(image: np.ndarray, target: np.ndarray, maps: np.ndarray, family: Family,
             people: Optional[People], caption: str = '') -> np.ndarray:
    """Return a BGR image of two rows: people and maps as predicted, input and target maps.

    `image` is (H, W, 3) uint8 BGR; `target` and `maps` (C, h, w); `people` in pixels of the
    image, None if the maps cannot be decoded.
    """
    found = enlarge(image)
    if people is not None:
        zoom = found.shape[1] // image.shape[1]
        found = draw_people(found, zoomed(people, zoom), family.topology)
    predicted = [Panel('people found', found), *family.panels(image, maps, ' found')]
    wanted = [Panel('input of the network', enlarge(image)),
              *family.panels(image, target, ' wanted')]
    return arrange(predicted + wanted, caption, columns=len(wanted))
