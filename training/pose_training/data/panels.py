# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw crops and maps as images, to check them."""
import textwrap
from typing import List, NamedTuple, Optional, Sequence

import cv2
import numpy as np

from pose_ros.core.people import People
from pose_ros.core.topology import Topology
from pose_training.data.geometry import Crop
from pose_training.families.family import Family, Targets

LEFT, RIGHT, MIDDLE = (0, 140, 255), (255, 150, 0), (0, 220, 0)  # BGR: orange, blue, green
_UNKNOWN = (60, 0, 160)
_PANEL, _TITLE, _COLUMNS = 512, 18, 4  # px
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Panel(NamedTuple):
    """An image (h, w, 3) uint8 BGR with a line of text over it."""

    title: str
    image: np.ndarray


def sheet(crop: Crop, targets: Targets, seen: np.ndarray, family: Family, caption: str,
          heatmaps: int = 3) -> np.ndarray:
    """Draw one crop: labels, `seen` (the input of the network), maps and weights.

    `heatmaps` is the number of single heatmaps, those with the largest sums.
    """
    panels = [
        Panel('labels: left orange, right blue', draw_labels(crop, family.topology)),
        Panel('input of the network', enlarge(seen)),
        *([Panel('channels with weight (white: all)', draw_weights(crop.image, targets.weights))]
          if targets.weights.ndim == 3 else []),
        *family.panels(crop.image, targets.maps, single=heatmaps, weights=targets.weights)]
    return arrange(panels, caption)


def arrange(panels: Sequence[Panel], caption: str, columns: int = _COLUMNS) -> np.ndarray:
    """Arrange panels of one size in rows, under a caption."""
    tiles = [np.concatenate([_text(panel.title, panel.image.shape[1]), panel.image])
             for panel in panels]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k:k + columns], 1) for k in range(0, len(tiles), columns)]
    lines = textwrap.wrap(caption, 12 * _PANEL * columns // 100) or ['']
    return np.concatenate([_text(line, rows[0].shape[1]) for line in lines] + rows)


def _text(text, width):
    line = np.zeros((_TITLE, width, 3), np.uint8)
    cv2.putText(line, text, (4, _TITLE - 5), _FONT, .45, (255, 255, 255), 1, cv2.LINE_AA)
    return line


def _zoom(width):
    return max(1, int(round(_PANEL / width)))


def enlarge(image: np.ndarray) -> np.ndarray:
    """Return a small image enlarged by a whole number; others as they are."""
    zoom = _zoom(image.shape[1])
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)


def zoomed(people: People, zoom: float) -> People:
    """Return the people in an image enlarged by a factor; pixel centers are at integers."""
    keypoints, boxes = people.keypoints.copy(), people.boxes.copy()
    keypoints[..., :2] = (keypoints[..., :2] + .5) * zoom - .5
    boxes[:, :2] = (boxes[:, :2] + .5) * zoom - .5
    boxes[:, 2:] *= zoom
    return people._replace(keypoints=keypoints, boxes=boxes)


def draw_labels(crop: Crop, topology: Topology) -> np.ndarray:
    """Draw the people in the colors of their own left and right; occluded keypoints are hollow."""
    image = enlarge(crop.image)
    zoom = _zoom(crop.image.shape[1])
    image[enlarge(crop.known) == 0] //= 2
    colors = [_side_color(name) for name in topology.keypoint_names]
    for keypoints in crop.people:
        at = [tuple(int(round(float(value))) for value in (point + .5) * zoom - .5)
              if label > 0 and np.abs(point).max() < 1e4 else None
              for point, label in zip(keypoints[:, :2], keypoints[:, 2])]
        for a, b in topology.limbs:
            if at[a] and at[b]:
                color = colors[a] if colors[a] == colors[b] else MIDDLE
                cv2.line(image, at[a], at[b], color, 2, cv2.LINE_AA)
        for point, color, name, label in zip(at, colors, topology.keypoint_names, keypoints[:, 2]):
            if point:
                cv2.circle(image, point, 4, color, cv2.FILLED if label > 1 else 1, cv2.LINE_AA)
                _name(image, name, point, color)
    return image


def _side_color(name):
    return LEFT if name.startswith('left_') else RIGHT if name.startswith('right_') else MIDDLE


def _name(image, name, point, color):
    short = name.replace('left_', 'L ').replace('right_', 'R ')
    place = (point[0] + 5, point[1] + 4)
    cv2.putText(image, short, place, _FONT, .35, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, short, place, _FONT, .35, color, 1, cv2.LINE_AA)


def blend(image: np.ndarray, heatmaps: np.ndarray,
          weights: Optional[np.ndarray] = None) -> np.ndarray:
    """Draw an (h, w) map of 0 to 1 over a gray image; cells without weight are purple."""
    colors = cv2.applyColorMap((heatmaps.clip(0, 1) * 255).astype(np.uint8), cv2.COLORMAP_JET)
    strength = heatmaps.clip(0, 1)[..., None] ** .5
    if weights is not None:
        colors[weights == 0] = _UNKNOWN
        strength = np.where(weights[..., None] == 0, .5, strength)
    return _over(image, colors, strength)


def keypoint_panels(image: np.ndarray, heatmaps: np.ndarray, names: Sequence[str], count: int,
                    weights: Optional[np.ndarray] = None) -> List[Panel]:
    """Return panels of the `count` heatmaps (K, h, w) with the largest sums."""
    order = np.argsort(-heatmaps.sum((1, 2)), kind='stable')[:count]
    return [Panel('{}, highest {:.2f}'.format(names[keypoint], heatmaps[keypoint].max()),
                  blend(image, heatmaps[keypoint], None if weights is None else weights[keypoint]))
            for keypoint in order]


def blend_vectors(image: np.ndarray, pafs: np.ndarray, axis_order: str = 'xy') -> np.ndarray:
    """Draw (2 L, h, w) PAFs over a gray image: the strongest of each cell, hue by direction.

    Red is right; the hue changes clockwise: yellow-green is down, cyan left, violet up.
    """
    if not len(pafs):
        return _over(image, np.zeros(pafs.shape[1:] + (3,), np.uint8), 0)
    pairs = pafs.reshape(-1, 2, *pafs.shape[1:])
    x, y = pairs.transpose(1, 0, 2, 3)[::1 if axis_order == 'xy' else -1]
    strength = np.hypot(x, y)
    best = strength.argmax(0)[None]
    x, y, strength = (np.take_along_axis(part, best, 0)[0] for part in (x, y, strength))
    hue = (np.degrees(np.arctan2(y, x)) % 360 / 2).astype(np.uint8) % 180
    full = np.full_like(hue, 255)
    colors = cv2.cvtColor(np.dstack([hue, full, full]), cv2.COLOR_HSV2BGR)
    return _over(image, colors, strength.clip(0, 1)[..., None] * .8)


def draw_weights(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Draw the share of (C, h, w) weights above 0, from black to white, over an image."""
    share = ((weights > 0).mean(0) * 255).astype(np.uint8)
    return _over(image, cv2.cvtColor(share, cv2.COLOR_GRAY2BGR), .75)


def _over(image, colors, strength):
    """Mix (h, w, 3) cells over an image with a whole number of pixels for each cell."""
    image = enlarge(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    size = image.shape[1::-1]
    strength = np.broadcast_to(np.asarray(strength, np.float32), colors.shape[:2] + (1,))
    share = cv2.resize(np.ascontiguousarray(strength), size, interpolation=cv2.INTER_NEAREST)
    cells = cv2.resize(colors, size, interpolation=cv2.INTER_NEAREST)
    return (image * (.7 * (1 - share[..., None])) + cells * share[..., None]).astype(np.uint8)
