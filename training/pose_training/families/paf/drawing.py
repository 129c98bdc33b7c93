# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw heatmaps and PAFs over their crop."""
from typing import List

import numpy as np

from pose_training.data.panels import blend, blend_vectors, Panel


def paf_panels(image: np.ndarray, heatmaps: np.ndarray, pafs: np.ndarray, axis_order: str,
               suffix: str = '') -> List[Panel]:
    """Return a panel of all heatmaps (K, h, w) and one of all PAFs (2 L, h, w)."""
    return [Panel('heatmaps' + suffix, blend(image, heatmaps.max(0))),
            Panel('PAFs (hue: direction)' + suffix, blend_vectors(image, pafs, axis_order))]
