# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Published networks, adopted, in the node: one of each kind of decoder that has a real file."""
import cv2
from graph import image_message, RELIABLE
import numpy as np
import pytest
from sensor_msgs.msg import Image

from pose_ros.core.adoption import adopt
from pose_ros.msg import SkeletonArray

pytest.importorskip('onnx')

# Network, detector, image, people: paf, movenet_multipose, heatmap, regression, parts; boxes of
# YOLOX, RTMDet and palms.
PAIRS = {
    'paf': ('mobilenet_v2_small.onnx', '', '02_several_people.jpg', 4),
    'multipose': ('movenet_multipose.onnx', '', '02_several_people.jpg', 4),
    'heatmap': ('mobile_cpm_192.onnx', 'yolox_nano.onnx', '01_single_skier.jpg', 1),
    'regression': ('movenet_lightning.onnx', 'rtmdet_nano_person.onnx', '01_single_skier.jpg', 1),
    'hands': ('hand_landmark_full.onnx', 'palm_detection_full.onnx', '13_hands_closeup.jpg', 2),
    'face': ('face_landmark.onnx', '', '14_face_portrait.jpg', 1)}


@pytest.mark.parametrize('kind', PAIRS)
def test_an_adopted_network_finds_the_people_of_an_image(graph, shared, tmp_path, kind):
    model, detector, name, people = PAIRS[kind]
    given = {}
    for key, file in (('model', model), ('detector', detector)):
        if file:
            given[key] = adopt(str(shared / 'weights' / file), str(tmp_path / file)).path
    image = cv2.imread(str(shared / 'data' / 'demo' / name))
    process = graph.start_estimator(tracking=False, backend='onnxruntime', **given)
    answers = graph.collect(SkeletonArray, 'skeletons')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    answer = graph.send_until(images, image_message(image), answers, process=process)
    assert len(answer.skeletons) == people
    size = np.array(image.shape[1::-1])
    for skeleton in answer.skeletons:
        points = np.array([(point.x, point.y) for point in skeleton.keypoints
                           if point.confidence > 0])
        assert len(points) >= 4 and (points > -.2 * size).all() and (points < 1.2 * size).all()
    assert process.stop() == 0
