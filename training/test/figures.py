# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny datasets and runs: stick figures on noise, a network of a few thousand weights."""
import json
from pathlib import Path

import cv2
import numpy as np
import yaml

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main

COCO = get_topology('coco_17')
# No changes of pixel values.
CLEAN = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'), 0.)
TINY = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}
# Of a figure 100 px tall that faces the camera: half widths (its left is our right) and heights.
_BODY = {'nose': (0, 9), 'eye': (3, 6), 'ear': (7, 8), 'shoulder': (13, 22), 'elbow': (21, 38),
         'wrist': (25, 54), 'hip': (9, 54), 'knee': (11, 75), 'ankle': (13, 96)}


def figure(random, height, left, top):
    """Return (17, 2) px: a person in a random posture."""
    points = np.array([(_BODY[name.split('_')[-1]][0] * (1 if name[0] == 'l' else -1),
                        _BODY[name.split('_')[-1]][1]) for name in COCO.keypoint_names], float)
    points[0, 0] = 0
    points += random.normal(0, 2.5, points.shape) * (np.abs(points[:, :1]) > 7)
    points[:, 0] *= random.uniform(.9, 1.4)
    return points * height / 100 + (left, top)


def draw_figure(image, points):
    """Draw limbs and keypoints, each in its own color."""
    for color, (a, b) in zip(COCO.limb_colors(), COCO.limbs):
        cv2.line(image, *(tuple(int(round(v)) for v in points[k]) for k in (a, b)), color, 2)
    for color, point in zip(COCO.keypoint_colors(), points):
        cv2.circle(image, tuple(int(round(v)) for v in point), 2, color, cv2.FILLED)


def write_figures(folder, count=8, side=96, seed=0, people=1, name='figures.json'):
    """Write images of people and their COCO file; return its path."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number in range(count):
        pixels = random.integers(0, 60, (side, side, 3)).astype(np.uint8)
        for _ in range(people):
            height = random.uniform(.7, .85) * side
            points = figure(random, height, side / 2 + random.uniform(-.08, .08) * side,
                            random.uniform(.03, .97 - height / side) * side)
            draw_figure(pixels, points)
            annotations.append(annotation(len(annotations) + 1, number, points))
        file_name = '{}_{}.png'.format(name.split('.')[0], number)
        cv2.imwrite(str(folder / file_name), pixels)
        images.append({'id': number, 'file_name': file_name, 'width': side, 'height': side})
    data = {'images': images, 'annotations': annotations, 'categories': [
        {'id': 1, 'name': 'person', 'keypoints': list(COCO.keypoint_names)}]}
    (folder / name).write_text(json.dumps(data))
    return str(folder / name)


def annotation(number, image, points):
    """Return a COCO annotation of a person with visible keypoints."""
    low, high = points.min(0) - 3, points.max(0) + 3
    return {'id': number, 'image_id': image, 'category_id': 1, 'iscrowd': 0,
            'num_keypoints': len(points), 'area': float(np.prod(high - low)) * .5,
            'bbox': [*low.tolist(), *(high - low).tolist()],
            'keypoints': np.column_stack([points, np.full(len(points), 2)]).ravel().tolist()}


def run_data(folder, data, **changes):
    """Return the dictionary of a tiny run; `changes` replace keys, inner ones by a__b=value."""
    config = {
        'model': {'name': 'repvgg_fpn', 'topology': 'coco_18', 'options': dict(TINY, stages=1)},
        'data': {'train': [{'path': data, 'all_visible_keypoints_annotated': True}],
                 'size': [64, 64], 'sigma': 5.,
                 'variants': 4, 'workers': 0},
        'optimizer': {'epochs': 2, 'crops_per_epoch': 12, 'batch': 4, 'lr': 3e-3,
                      'precision': 'fp32'},
        'validation': {'drawn_crops': 0}, 'accelerator': 'cpu', 'output': str(folder / 'run')}
    for name, value in changes.items():
        *parents, key = name.split('__')
        inner = config
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[key] = value
    return config


def write_run(folder, data, name='run.yaml', **changes):
    """Write the configuration of a tiny run, and return its path."""
    path = folder / name
    path.write_text(yaml.safe_dump(run_data(folder, data, **changes)))
    return str(path)


def measured(folder, model, data, *words):
    """Evaluate by the command line and return the figures of the first dataset."""
    path = str(folder / 'figures.json')
    assert main(['evaluate', model, '--data', data, '--json', path, '--quiet', *words]) == 0
    return json.loads(Path(path).read_text())['results'][0]['figures']
