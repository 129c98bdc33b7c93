# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A detector and a network of crops that find colored rectangles and dots."""
import cv2
import numpy as np

from pose_ros.core.card import parse_card
from pose_ros.core.engines import Engine, EngineInfo
from pose_ros.core.network import Network

TOPOLOGY = {'name': 'stick', 'keypoint_names': ['left_end', 'right_end'], 'limbs': [[0, 1]]}


class PaintEngine(Engine):
    """Runs a function on each image (h, w, 3) of 0..255; counts the calls and the images."""

    fixed_batch = False

    def __init__(self, function, batch_size):
        self._function, self.batch_size = function, batch_size
        self.calls = self.images = 0

    def infer(self, batch):
        self.calls += 1
        self.images += len(batch)
        rows = [self._function(image.transpose(1, 2, 0)) for image in batch]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def describe(self):
        return EngineInfo('paint', '1', 'cpu', 'fp32', 1, 'paint')

    def close(self):
        pass


def find_rectangles(image):
    """Boxes of blue areas as `dets` (9, 5); the score falls with the place in the list."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 128).astype(np.uint8))
    dets = np.zeros((9, 5), np.float32)
    for row, (left, top, width, height, _) in zip(dets, stats[1:10]):
        row[:] = left, top, left + width, top + height, 0.9
    return {'dets': dets}


def find_dots(image):
    """Heatmaps (2, h / 4, w / 4) of green and red."""
    small = cv2.resize(image, (image.shape[1] // 4, image.shape[0] // 4),
                       interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 2, borderType=cv2.BORDER_CONSTANT)
    maps = np.ascontiguousarray(small[..., 1:].transpose(2, 0, 1))
    return {'maps': maps / max(maps.max(), 1e-6)}


def card(task, width, height, kind, outputs, fit, topology):
    return parse_card({
        'schema': 1, 'name': 'paint ' + kind, 'version': '1', 'license': 'MIT', 'task': task,
        'topology': topology, 'provenance': {},
        'selection': {'min_keypoints': 1} if topology else {},
        'input': {'height': height, 'width': width, 'color': 'bgr', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': fit, 'align': 'top_left',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': kind, 'outputs': outputs, 'settings': {}}}, 'test')


def detector(batch=4):
    outputs = {'format': 'list', 'tensor': 'dets', 'labels': None, 'class': 0}
    return Network(card('detection', 320, 320, 'boxes', outputs, 'letterbox', None),
                   PaintEngine(find_rectangles, batch), 'detector')


def pose(batch=4):
    outputs = {'tensor': 'maps', 'channels': [0, 1], 'grid': 'half_pixel'}
    return Network(card('pose', 96, 128, 'heatmap', outputs, 'crop', TOPOLOGY),
                   PaintEngine(find_dots, batch))


def paint(boxes, width=640, height=480):
    """Blue rectangles (left, top, w, h), each with a green and a red dot; returns the dots too."""
    image = np.zeros((height, width, 3), np.uint8)
    dots = []
    for left, top, w, h in boxes:
        cv2.rectangle(image, (left, top), (left + w - 1, top + h - 1), (255, 0, 0), cv2.FILLED)
        dots.append([(left + w // 4, top + h // 4), (left + 3 * w // 4, top + h // 2)])
        for place, color in zip(dots[-1], ((255, 255, 0), (255, 0, 255))):
            cv2.circle(image, place, max(2, w // 24), color, cv2.FILLED)
    return image, np.array(dots, float).reshape(-1, 2, 2)


BOXES = [(40, 60, 120, 200), (300, 100, 60, 90), (450, 220, 150, 240)]


def assert_found(people, dots, boxes):
    """Each dot is found within 1 % of the height of its box."""
    assert people.count == len(dots)
    for points, (_, _, _, height) in zip(dots, boxes):
        distance = np.abs(people.keypoints[..., :2] - points).max((1, 2))
        assert distance.min() < 0.012 * height + 0.5
