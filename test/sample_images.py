# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Small images for tests, with known colors."""
import numpy as np

HEIGHT, WIDTH = 12, 20


def color_image(height=HEIGHT, width=WIDTH):
    """Return an image of random colors, the same each time."""
    return np.random.RandomState(7).randint(0, 256, (height, width, 3)).astype(np.uint8)


def patches():
    """Return an image of 4 x 4 patches, so that halved color planes lose nothing."""
    return np.repeat(np.repeat(color_image(HEIGHT // 4, WIDTH // 4), 4, 0), 4, 1)


def alpha(bgr):
    """Add a fourth channel."""
    return np.dstack([bgr, np.full(bgr.shape[:2], 77, np.uint8)])


def gray(values):
    """Return the BGR image of (H, W) levels."""
    return np.repeat(np.asarray(values)[:, :, None], 3, 2)
