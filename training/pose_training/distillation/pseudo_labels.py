# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Make a COCO keypoint dataset of images without labels, with networks."""
import os
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.given_boxes import GivenBoxes
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.people import People
from pose_ros.core.sources.images import read_image
from pose_ros.core.topology import TOPOLOGIES
from pose_training.data.images import tell_left_out

_SHARE_OF_BOX = .53  # a person covers about this share of the box, as COCO's outlines do


def label_images(estimator: PoseEstimator, paths: Sequence[str], folder: str,
                 min_confidence: float = .3, progress: Callable = iter,
                 max_pixels: int = MAX_PIXELS,
                 boxes: Optional[GivenBoxes] = None) -> Dict[str, Any]:
    """Return a COCO keypoint dataset of the people that an estimator finds in image files.

    File names become relative to `folder`. Each annotation has its `score` and, as `conf`, the
    score of each keypoint; a keypoint below `min_confidence` has no label. Because people may
    be missed, `info` has `complete: false`. Images that cannot be read, or have more than
    `max_pixels`, are left out, with a warning; DataError if all are. `boxes` of a file replace the
    detector of a network of crops.
    """
    images: List[Dict[str, Any]] = []
    annotations: List[Dict[str, Any]] = []
    faults: List[ImageError] = []
    for index, path in enumerate(progress(paths)):
        try:
            pixels = read_image(path, max_pixels)
        except ImageError as error:
            faults.append(error)
            continue
        height, width = pixels.shape[:2]
        images.append({'id': len(images) + 1, 'file_name': os.path.relpath(path, folder),
                       'width': width, 'height': height})
        frame = Frame(pixels, index=index, name=os.path.basename(path))
        people = estimator(frame) if boxes is None else estimator.run(
            [frame], [boxes.find(frame, estimator.topology)])[0]
        for person in _annotations(people, min_confidence):
            annotations.append({'id': len(annotations) + 1, 'image_id': images[-1]['id'],
                                'category_id': 1, 'iscrowd': 0, **person})
    tell_left_out(os.path.dirname(paths[0]) or '.', faults, len(paths))
    topology = estimator.topology
    limbs = [[first + 1, second + 1] for first, second in topology.limbs]
    return {'info': {'complete': False, 'labelled_by': _networks(estimator)}, 'images': images,
            'annotations': annotations, 'categories': [
                {'id': 1, 'name': 'person' if topology.name in TOPOLOGIES else topology.name,
                 'keypoints': list(topology.keypoint_names),
                 'skeleton': limbs}]}


def _annotations(people: People, min_confidence):
    for points, score, box in zip(people.keypoints, people.scores, people.boxes):
        sure = points[:, 2] >= min_confidence
        if not sure.any() or not np.isfinite(box).all():
            continue
        rows = np.column_stack([points[:, :2], np.full(len(points), 2)])
        rows[~sure] = 0
        yield {'keypoints': [round(float(value), 2) for value in rows.ravel()],
               'num_keypoints': int(sure.sum()),
               'conf': [round(float(value), 3) for value in points[:, 2]],
               'score': round(float(score), 3), 'bbox': [round(float(value), 2) for value in box],
               'area': round(float(_SHARE_OF_BOX * box[2] * box[3]), 1)}


def _networks(estimator):
    return [{'name': network.card.name, 'version': network.card.version,
             'license': network.card.license} for network in estimator.networks]
