# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Public networks, adopted without options, reach what a plain script reaches with them."""
import cv2
import numpy as np
import pytest

from pose_ros.core.adoption import adopt
from pose_ros.core.card_files import load_card
from pose_ros.core.convert import convert_people
from pose_ros.core.people import make_people
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.evaluate import evaluate
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.metrics import figures, keypoint_figures

EVERYONE = {'selection.min_score': 0., 'selection.min_keypoints': 1, 'pose.keypoint_threshold': 0.}
# AP of a plain script on coco_dev: one scale, no mirrored image, labelled boxes or whole images.
KNOWN = [('movenet_lightning', .346, dict(boxes='truth'), None),
         ('ultralight_nano_simplepose', .482, dict(boxes='truth'), None),
         ('movenet_multipose', .261, {}, (256, 256))]


def adopted(shared, folder, name, size=None):
    pytest.importorskip('onnxruntime')
    return adopt(str(shared / 'weights' / (name + '.onnx')), str(folder / 'adopted.onnx'),
                 size=size).path


@pytest.mark.parametrize('name, known, options, size', KNOWN)
def test_average_precision(shared, tmp_path, name, known, options, size):
    path = adopted(shared, tmp_path, name, size)
    settings = EVERYONE if size is None else dict(EVERYONE, **{'pose.min_score': .01})
    found, = evaluate(path, str(shared / 'data' / 'dev' / 'coco_dev.json'), settings=settings,
                      backend='onnxruntime', **options)
    assert known - .005 < found.figures['AP'] < known + .04
    assert found.figures['swapped'] < .05


@pytest.mark.parametrize('name, known', [('coco_dev', .304), ('fashion_dev', .592)])
def test_a_convolutional_pose_machine(shared, tmp_path, name, known):
    """The plain script: crops in BGR, the highest cell, a quarter towards its higher neighbor.

    PCK is that of 17 keypoints, of which the network has 12.
    """
    path = adopted(shared, tmp_path, 'mobile_cpm_192')
    data = str(shared / 'data' / 'dev' / (name + '.json'))
    found, = evaluate(path, data, settings=dict(EVERYONE, **{'pose.refinement': 'quarter'}),
                      backend='onnxruntime', boxes='truth')
    plain = _plain_cpm(str(shared / 'weights' / 'mobile_cpm_192.onnx'), read_labels(data),
                       load_card(path).topology)
    assert plain['PCK'] == pytest.approx(known, abs=.003)
    assert found.figures['PCK'] == pytest.approx(plain['PCK'], abs=.005)
    assert found.figures['swapped'] < .05


def _plain_cpm(path, labels, topology):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    people = {}
    for image in labels.images:
        pixels, found = cv2.imread(image.path), []
        for person in labels.people()[image.id]:
            left, top, width, height = person['bbox']
            scale = 192 / (1.25 * max(width, height))
            shift = 96 - scale * np.array((left + width / 2, top + height / 2))
            small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            crop = cv2.warpAffine(small, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]),
                                  (192, 192))
            maps, = session.run(None, {'image:0': crop[None].astype(np.float32)})
            found.append(np.column_stack([
                (2 * _peaks(maps[0].transpose(2, 0, 1)) - shift) / scale, np.ones(14)]))
        points = np.array(found).reshape(-1, 14, 3)
        people[image.id] = convert_people(make_people(points, np.ones(len(points))), topology,
                                          labels.topology)
    detections = Detections(labels, people, [.01] * len(people))
    return figures(detections, keypoint_figures(detections))


def _peaks(maps):
    places = []
    for plane in maps:
        y, x = np.unravel_index(plane.argmax(), plane.shape)
        padded = np.pad(plane, 1, 'edge')
        places.append((x + .25 * np.sign(padded[y + 1, x + 2] - padded[y + 1, x]),
                       y + .25 * np.sign(padded[y + 2, x + 1] - padded[y, x + 1])))
    return np.array(places)
