# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw converted labels into one image, to check order, sides and offsets of keypoints."""
from typing import Any, Dict, List, Mapping, Sequence

import cv2
import numpy as np

from pose_ros.core.sources.images import read_image
from pose_ros.core.topology import Topology
from pose_training.data.geometry import Crop
from pose_training.data.panels import arrange, draw_labels, Panel
from pose_training.errors import DataError

_SIDE = 512  # px
_MARGIN = 1.4  # of the longer side of the box


def draw_samples(annotations: Sequence[Dict[str, Any]], paths: Mapping[Any, str],
                 topology: Topology, count: int) -> np.ndarray:
    """Return an image of up to `count` labelled people, evenly spread over the annotations.

    `paths` are the image files by image id. DataError if no annotation has keypoints.
    """
    labelled = [annotation for annotation in annotations if annotation['num_keypoints']]
    if not labelled:
        raise DataError('--check has nothing to draw: no annotation has keypoints')
    places = np.unique(np.linspace(0, len(labelled) - 1, min(count, len(labelled))).astype(int))
    panels: List[Panel] = []
    for place in places:
        annotation = labelled[place]
        path = paths[annotation['image_id']]
        panels.append(Panel('{} #{}'.format(path[-40:], annotation['id']),
                            _drawn(read_image(path, orient=False), annotation, topology)))
    return arrange(panels, 'left orange, right blue, others green; occluded keypoints are hollow')


def _drawn(image, annotation, topology):
    left, top, width, height = annotation['bbox']
    zoom = _SIDE / max(1., _MARGIN * max(width, height))
    middle = np.array([left + width / 2, top + height / 2])
    shift = (_SIDE - 1) / 2 - zoom * (middle - .5)
    crop = cv2.warpAffine(image, np.column_stack([np.eye(2) * zoom, shift]), (_SIDE, _SIDE),
                          flags=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=(60, 60, 60))
    keypoints = np.array(annotation['keypoints'], float).reshape(-1, 3)
    keypoints[:, :2] = keypoints[:, :2] * zoom + shift
    return draw_labels(Crop(
        crop, keypoints[None], np.array([zoom * height]), np.ones((_SIDE, _SIDE), np.uint8),
        np.ones(topology.size, bool), None), topology)
