# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Helpers of the tests of the evaluation: networks that find a known person, and datasets."""
import json

import cv2
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto

from pose_ros.core.card import CARD_KEY, parse_card
from pose_ros.core.paf_layouts import map_layout
from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.labels import read_labels

COCO = get_topology('coco_17')
SIDE, STRIDE = 192, 8
_HALF = {'nose': (0, 40), 'eye': (6, 34), 'ear': (13, 38), 'shoulder': (22, 62), 'elbow': (32, 90),
         'wrist': (36, 114), 'hip': (14, 112), 'knee': (16, 142), 'ankle': (18, 170)}


def symmetric_person():
    """Return (17, 2) px: an upright person, symmetric to the middle."""
    middle = (SIDE - 1) / 2
    return np.array([(middle + _HALF[name.split('_')[-1]][0] * (1 if name[0] == 'l' else -1),
                      _HALF[name.split('_')[-1]][1]) for name in COCO.keypoint_names])


def annotation(image_id, points, **changes):
    """Return a COCO annotation of a person with 17 visible keypoints."""
    points = np.asarray(points, float)
    low, high = points.min(0), points.max(0)
    keypoints = np.column_stack([points, np.full(len(points), 2)]).ravel().tolist()
    return {'id': 1, 'image_id': image_id, 'category_id': 1, 'iscrowd': 0,
            'num_keypoints': len(points), 'area': float(np.prod(high - low)) * .53,
            'bbox': [*low, *(high - low)], 'keypoints': keypoints, **changes}


def dataset(images, annotations, names=COCO.keypoint_names, category=1):
    """Return a COCO keypoint file of images (id, file name)."""
    return {'images': [{'id': number, 'file_name': name} for number, name in images],
            'annotations': annotations, 'categories': [
                {'id': category, 'name': 'person', 'keypoints': list(names)}]}


def write_dataset(folder, images, annotations, name='set.json', **options):
    """Write images {file name: (H, W, 3) uint8} numbered from 0, and their labels."""
    folder.mkdir(exist_ok=True)
    for file_name, pixels in images.items():
        cv2.imwrite(str(folder / file_name), pixels)
    data = dataset(list(enumerate(images)), annotations, **options)
    (folder / name).write_text(json.dumps(data))
    return str(folder / name)


def changed(path, change):
    """Change the data of a file; return its path."""
    with open(path, encoding='utf-8') as stream:
        content = json.load(stream)
    change(content)
    with open(path, 'w', encoding='utf-8') as stream:
        json.dump(content, stream)
    return path


def detections(folder, annotations, found, **options):
    """Return Detections without a network: `found` {image id: [(points (17, 2), score), ...]}."""
    numbers = sorted(found)
    path = write_dataset(folder, {'{}.png'.format(number): np.zeros((8, 8, 3), np.uint8)
                                  for number in numbers}, annotations,
                         **options)
    people = {}
    for number in numbers:
        points = np.array([points for points, _ in found.get(number, ())]).reshape(-1, 17, 2)
        keypoints = np.concatenate([points, np.isfinite(points[..., :1])], -1)
        people[number] = make_people(keypoints, [score for _, score in found.get(number, ())])
    return Detections(read_labels(path), people, [.01] * len(numbers))


def outputs(topology, stride=STRIDE, tensors=('maps', 'maps')):
    """Return the `outputs` of a card for the layout of a topology; PAFs follow the heatmaps."""
    layout = map_layout(topology)
    first = layout.heatmaps if tensors[0] == tensors[1] else 0
    keypoints = get_topology(topology).size
    limbs = [[*layout.limbs[k], first + 2 * k] for k in layout.joining_order]
    return {'stride': stride, 'heatmaps': {
        'tensor': tensors[0], 'channels': list(range(keypoints)),
        'background': keypoints if layout.background else None},
        'pafs': {'tensor': tensors[1], 'limbs': limbs, 'axis_order': layout.axis_order}}


def card(width=SIDE, height=SIDE, topology='coco_18', **decoder):
    """Return a model card."""
    return parse_card({
        'schema': 1, 'name': 'known', 'version': '1', 'license': 'none', 'task': 'pose',
        'topology': topology,
        'input': {'height': height, 'width': width, 'color': 'bgr', 'scale': 1., 'mean': [0, 0, 0],
                  'std': [1, 1, 1], 'fit': 'letterbox', 'align': 'center',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': 'paf', 'outputs': outputs(topology), 'settings': {}, **decoder},
        'provenance': {}}, 'a test')


def draw_maps(points, topology, width=SIDE, height=SIDE):
    """Draw one person, (K, 2) px with the keypoints of the topology, cell by cell: (C, h, w)."""
    layout = map_layout(topology)
    rows, columns = np.mgrid[:height // STRIDE, :width // STRIDE]
    x, y = (columns + .5) * STRIDE - .5, (rows + .5) * STRIDE - .5
    maps = [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 7. ** 2)) for px, py in points]
    maps += [1 - np.max(maps, 0)] * layout.background
    for parent, child in layout.limbs:
        along = points[child] - points[parent]
        length = max(np.linalg.norm(along), 1e-6)
        ux, uy = along / length
        px, py = x - points[parent][0], y - points[parent][1]
        forward, aside = ux * px + uy * py, ux * py - uy * px
        inside = (abs(aside) < 9) & (forward > -9) & (forward < length + 9)
        maps += [inside * ux, inside * uy] if layout.axis_order == 'xy' else \
            [inside * uy, inside * ux]
    return np.stack(maps).astype(np.float32)


def with_neck(points):
    """Return COCO-17 points in the order of COCO-18."""
    keypoint = dict(zip(COCO.keypoint_names, np.asarray(points, float)))
    keypoint['neck'] = (keypoint['left_shoulder'] + keypoint['right_shoulder']) / 2
    return np.array([keypoint[name] for name in get_topology('coco_18').keypoint_names])


def write_model(path, points, dynamic=False):
    """Write a network that finds one person on white, at `points` (17, 2), and none on black.

    The person fills the input alike at every size.
    """
    maps = draw_maps(with_neck(points), 'coco_18')[None]
    constants = {'known': maps, 'white': np.array([1 / 255.], np.float32),
                 'stride': np.array([STRIDE], np.int64), 'two': np.array([2], np.int64),
                 'four': np.array([4], np.int64), 'lead': np.array([1, maps.shape[1]], np.int64)}
    nodes = [helper.make_node('ReduceMax', ['image'], ['most'], keepdims=1),
             helper.make_node('Mul', ['most', 'white'], ['share']),
             helper.make_node('Mul', ['known', 'share'], ['seen']),
             helper.make_node('Shape', ['image'], ['shape']),
             helper.make_node('Slice', ['shape', 'two', 'four'], ['size']),
             helper.make_node('Div', ['size', 'stride'], ['grid']),
             helper.make_node('Concat', ['lead', 'grid'], ['sizes'], axis=0),
             helper.make_node('Resize', ['seen', '', '', 'sizes'], ['maps'], mode='linear',
                              coordinate_transformation_mode='half_pixel')]
    return write_onnx(path, nodes, constants, card(), dynamic)


def write_onnx(path, nodes, constants, its_card, dynamic=True):
    """Write an ONNX file with a card, from `image` to `maps`."""
    sides = ['h', 'w'] if dynamic else [its_card.input.height, its_card.input.width]
    graph = helper.make_graph(
        nodes, 'known',
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, [1, 3, *sides])],
        [helper.make_tensor_value_info('maps', TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    helper.set_model_props(model, {CARD_KEY: its_card.to_json()})
    onnx.save(model, str(path))
    return str(path)
