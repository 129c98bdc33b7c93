# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A drawn image of a person, on which engines are compared."""
import numpy as np


def synthetic_image(height: int = 480, width: int = 640) -> np.ndarray:
    """Return a fixed image (H, W, 3) uint8 BGR: a simple person before a gradient."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    y, x = rows / height, columns / width - 0.5
    image = np.stack([80 + 120 * y, 90 + 60 * (x + 0.5), 70 + 50 * np.sin(20 * x) * y], -1)
    body = (np.abs(x) < 0.08) & (y > 0.3) & (y < 0.62)
    legs = (np.abs(np.abs(x) - 0.045) < 0.022) & (y >= 0.62) & (y < 0.95)
    arms = (np.abs(np.abs(x) - 0.11 - 0.15 * (y - 0.3)) < 0.02) & (y > 0.3) & (y < 0.6)
    head = x ** 2 + (0.75 * (y - 0.21)) ** 2 < 0.05 ** 2
    for part, color in ((body, (150, 60, 40)), (legs, (60, 50, 45)),
                        (arms | head, (130, 160, 210))):
        image[part] = color
    return image.astype(np.uint8)
