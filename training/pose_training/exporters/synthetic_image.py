# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic image for checks of exports, the same on every machine."""
from typing import Sequence

import numpy as np

from pose_ros.core.card import InputSpec
from pose_ros.core.preprocessing import prepare_image

_SHAPES = 24


def draw_image(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Return (height, width, 3) uint8 BGR: shades, discs and boxes with sharp edges, and grain.

    It uses integer arithmetic only, so that the image is the same on every machine.
    """
    x, y = np.arange(width, dtype=np.int64), np.arange(height, dtype=np.int64)[:, None]
    across, down = x * 255 // max(width - 1, 1) + 0 * y, y * 255 // max(height - 1, 1) + 0 * x
    image = np.stack([across, down, (across + 255 - down) // 2], -1)
    numbers = _numbers(seed)
    for _ in range(_SHAPES):
        left, top = next(numbers) % width, next(numbers) % height
        radius = 2 + next(numbers) % max(min(width, height) // 5, 1)
        color = np.array([next(numbers) % 256 for _ in range(3)])
        dx, dy = x - left, y - top
        disc = dx * dx + dy * dy < radius * radius
        box = (abs(dx) < radius // 2) & (abs(dy) < 2 * radius)
        inside = disc if next(numbers) % 2 else box
        shade = (128 + 127 * (dx + dy) // (4 * radius))[..., None]
        image = np.where(inside[..., None], color * shade // 128, image)
    grain = (x * 7919 + y * 104729 + seed * 31) * 2654435761 % 4294967296 // 16777216
    return np.clip(image + (grain // 16 - 8)[..., None], 0, 255).astype(np.uint8)


def prepare(images: Sequence[np.ndarray], spec: InputSpec) -> np.ndarray:
    """Return images (H, W, 3) uint8 BGR as one network input (N, 3, h, w) float32."""
    return np.concatenate([prepare_image(image, spec) for image in images])


def _numbers(seed):
    """Yield the high bits of a linear congruential generator (Numerical Recipes)."""
    state = seed + 1
    while True:
        state = (1664525 * state + 1013904223) % 4294967296
        yield state >> 16
