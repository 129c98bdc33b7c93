# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A drawn animal of five keypoints: images, and its labels in COCO's format."""
import json

import cv2
import numpy as np

NAMES = ('nose', 'neck', 'tail_base', 'left_paw', 'right_paw')
LIMBS = ((0, 1), (1, 2), (1, 3), (1, 4))
_COLORS = ((60, 220, 255), (255, 120, 60), (80, 255, 80), (255, 60, 255), (60, 60, 255))


def animal(random, length, center):
    """Return (5, 2) px of an animal of a length that looks to the left."""
    points = np.array([(-.62, 0), (-.3, 0), (.5, 0), (-.3, .3), (-.3, -.3)])
    points += random.normal(0, .03, points.shape)
    angle = random.uniform(-.5, .5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return length * points @ turn.T + center


def draw_animal(image, points):
    """Draw the body, and each keypoint in its own color."""
    whole = np.rint(points).astype(int)
    for a, b in LIMBS:
        cv2.line(image, tuple(map(int, whole[a])), tuple(map(int, whole[b])), (150, 150, 150), 5)
    for point, color in zip(whole, _COLORS):
        cv2.circle(image, tuple(map(int, point)), 5, color, cv2.FILLED)


def write_animals(folder, count=8, side=128, seed=0, several=1):
    """Write images of `several` animals side by side and their COCO file; return its path."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(count):
        pixels = random.integers(0, 60, (side, several * side, 3)).astype(np.uint8)
        for place in range(several):
            middle = np.array([place + .5, .5]) + random.uniform(-.05, .05, 2)
            points = animal(random, random.uniform(.6, .7) * side, middle * side)
            draw_animal(pixels, points)
            annotations.append(_annotation(len(annotations), number, points))
        name = 'animal_{}.png'.format(number)
        cv2.imwrite(str(folder / name), pixels)
        images.append({'id': number, 'file_name': name, 'width': several * side, 'height': side})
    category = {'id': 1, 'name': 'lizard', 'keypoints': list(NAMES),
                'skeleton': [[a + 1, b + 1] for a, b in LIMBS]}
    path = folder / 'animals.json'
    path.write_text(json.dumps({'images': images, 'annotations': annotations,
                                'categories': [category]}))
    return str(path)


def _annotation(number, image, points):
    low, high = points.min(0) - 6, points.max(0) + 6
    return {'id': number, 'image_id': image, 'category_id': 1, 'iscrowd': 0, 'num_keypoints': 5,
            'area': float(np.prod(high - low)), 'bbox': [*low.tolist(), *(high - low).tolist()],
            'keypoints': np.column_stack([points, np.full(5, 2)]).ravel().tolist()}
