# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files and images for the tests of the data."""
import json

import cv2
import numpy as np

from pose_ros.core.topology import get_topology
from pose_training.data.annotations import Sample

NAMES = get_topology('coco_17').keypoint_names


def person(image=1, visible=NAMES, **more):
    """Return an annotation: keypoint k is at (10 + 2 k, 20 + 3 k), labelled if in `visible`."""
    keypoints = []
    for k, name in enumerate(NAMES):
        keypoints += [10 + 2 * k, 20 + 3 * k, 2] if name in visible else [0, 0, 0]
    return {'image_id': image, 'category_id': 1, 'keypoints': keypoints,
            'bbox': [5, 15, 40, 60], **more}


def coco(annotations, size=(100, 80), files=('1.png',), names=NAMES):
    """Return the data of a keypoint file of images numbered from 1, all of a size."""
    images = [{'id': number, 'file_name': name, 'width': size[0], 'height': size[1]}
              for number, name in enumerate(files, 1)]
    annotations = [{'id': number, **annotation} for number, annotation in enumerate(annotations)]
    return {'images': images, 'annotations': annotations,
            'categories': [{'id': 1, 'name': 'person', 'keypoints': list(names)}]}


def write(folder, data, images=True):
    """Write a keypoint file, and noise as its images; return its path."""
    random = np.random.default_rng(0)
    for image in data['images'] if images else ():
        pixels = random.integers(0, 256, (image['height'], image['width'], 3), np.uint8)
        cv2.imwrite(str(folder / image['file_name']), pixels)
    path = folder / 'labels.json'
    path.write_text(json.dumps(data))
    return str(path)


def sample(people, size=(100, 80), boxes=None, topology='coco_18', **more):
    """Return a Sample of (P, K, 3) people; their boxes span their keypoints unless given."""
    people = np.array(people, np.float32).reshape(-1, get_topology(topology).size, 3)
    if boxes is None:
        low, high = people[..., :2].min(1), people[..., :2].max(1)
        boxes = np.concatenate([low - .5, high - low + 1], 1)
    values = {'path': 'image.png', 'size': size, 'people': people,
              'boxes': np.array(boxes, np.float32).reshape(-1, 4), 'ignored': (),
              'labelled': np.ones(people.shape[1], bool), **more}
    return Sample(**values)
