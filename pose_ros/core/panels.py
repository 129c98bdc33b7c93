# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings of what a network sees: its maps over its input, one panel each."""
from typing import Dict, List, Tuple

import cv2
import numpy as np

from pose_ros.core.decoders import Decoder
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.people import People
from pose_ros.core.regions import crop_region, whole

_LARGEST = 256.0  # px of the longer side of a panel
_ASPECT = 4 / 3.  # of all panels together


def has_maps(network: Network) -> bool:
    """Return whether the network yields maps: coordinates and lists of people are none."""
    return type(network.decoder).maps is not Decoder.maps


def draw_panels(estimator: PoseEstimator, frame: Frame, people: People) -> np.ndarray:
    """Draw the maps of a frame (H, W, 3) uint8 BGR: the input, all together, then each alone.

    The maps of the stages before the last come after the input, together per stage. A network of
    crops sees the best of `people`, or the whole frame if there are no people. The network runs
    once more. PoseRosError if it yields no maps.
    """
    network = estimator.network
    if not has_maps(network):
        raise PoseRosError('{} yields no maps: its decoder type is {!r}'.format(
            network.card.name, network.card.decoder.type))
    region = whole(0, *frame.size)
    if network.card.input.fit == 'crop' and people.count and np.isfinite(people.boxes[0]).all():
        region = crop_region(0, people.boxes[0], network.card.input)
    (outputs, transform), = network([frame], [region])
    spec = network.card.input
    scale = min(1.0, _LARGEST / max(spec.width, spec.height))
    size = int(round(spec.width * scale)), int(round(spec.height * scale))
    seen = cv2.warpAffine(frame.image, transform.matrix, (spec.width, spec.height),
                          flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=(spec.pad_value,) * 3)
    seen = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    panels = [_titled(seen.copy(), 'input')]
    for number, maps in enumerate(network.decoder.stage_maps(outputs), 1):
        panels += _together(maps, seen, 'stage {} '.format(number))
    maps = network.decoder.maps(outputs)
    return _grid(panels + _together(maps, seen) + _apart(maps, seen))


def _together(maps: Dict[str, np.ndarray], seen: np.ndarray, title: str = '') -> List[np.ndarray]:
    """Return a panel of all heatmaps and one of all PAFs, if there are any."""
    panels = []
    heat = [values for values in maps.values() if values.ndim == 2]
    fields = [values for values in maps.values() if values.ndim == 3]
    if heat:
        panels.append(_titled(_over(seen, _heat_colors(np.max(heat, 0))), title + 'keypoints'))
    if fields:
        strongest = np.argmax([np.hypot(*field) for field in fields], 0)
        together = np.take_along_axis(np.array(fields), strongest[None, None], 0)[0]
        panels.append(_titled(_over(seen, _field_colors(together)), title + 'limbs'))
    return panels


def _apart(maps: Dict[str, np.ndarray], seen: np.ndarray) -> List[np.ndarray]:
    panels = []
    for name, values in maps.items():
        colors = _heat_colors(values) if values.ndim == 2 else _field_colors(values)
        panels.append(_titled(_over(seen, colors), name))
    return panels


def _heat_colors(values: np.ndarray) -> np.ndarray:
    """Return (h, w, 3) colors of values from 0, blue, to 1, red."""
    return cv2.applyColorMap((np.clip(values, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_JET)


def _field_colors(field: np.ndarray) -> np.ndarray:
    """Return (h, w, 3) colors of vectors (2, h, w): the hue is their direction."""
    x, y = field
    hue = (np.degrees(np.arctan2(y, x)) % 360) / 2
    value = np.clip(np.hypot(x, y), 0, 1) * 255
    colors = np.stack([hue, np.full(hue.shape, 255), value], 2).astype(np.uint8)
    return cv2.cvtColor(colors, cv2.COLOR_HSV2BGR)


def _over(seen, colors) -> np.ndarray:
    large = cv2.resize(colors, seen.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(seen, 0.4, large, 0.6, 0)


def _titled(panel, title) -> np.ndarray:
    place = (4, panel.shape[0] - 6)
    for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(panel, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, width, cv2.LINE_AA)
    return panel


def _grid(panels: List[np.ndarray]) -> np.ndarray:
    height, width = panels[0].shape[:2]
    columns, rows = _arranged(len(panels), width, height)
    drawn = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, panel in enumerate(panels):
        top, left = index // columns * height, index % columns * width
        drawn[top:top + height, left:left + width] = panel
    return drawn


def _arranged(count, width, height) -> Tuple[int, int]:
    """Return columns and rows, near the aspect of a screen."""
    columns = int(np.clip(round(np.sqrt(count * _ASPECT * height / width)), 1, count))
    return columns, -(-count // columns)
