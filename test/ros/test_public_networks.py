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

# Parameters and their files, image, people. Decoders: paf, movenet_multipose, heatmap, regression
# of bodies, hands and faces; boxes of YOLOX, RTMDet and palms.
RUNS = {
    'paf': ({'model': 'mobilenet_v2_small.onnx'}, '02_several_people.jpg', 4),
    'multipose': ({'model': 'movenet_multipose.onnx'}, '02_several_people.jpg', 4),
    'heatmap': ({'model': 'mobile_cpm_192.onnx', 'detector': 'yolox_nano.onnx'},
                '01_single_skier.jpg', 1),
    'regression': ({'model': 'movenet_lightning.onnx', 'detector': 'rtmdet_nano_person.onnx'},
                   '01_single_skier.jpg', 1),
    'hands': ({'model': 'hand_landmark_full.onnx', 'detector': 'palm_detection_full.onnx'},
              '13_hands_closeup.jpg', 2),
    'face': ({'face': 'face_landmark.onnx'}, '14_face_portrait.jpg', 1)}


@pytest.mark.parametrize('run', RUNS)
def test_adopted_networks_find_the_people_of_an_image(graph, shared, tmp_path, run):
    files, name, people = RUNS[run]
    given = {key: adopt(str(shared / 'weights' / file), str(tmp_path / file)).path
             for key, file in files.items()}
    given.setdefault('model', '')  # the bundled pair
    image = cv2.imread(str(shared / 'data' / 'demo' / name))
    process = graph.start_estimator(tracking=False, backend='onnxruntime', **given)
    answers = graph.collect(SkeletonArray, 'skeletons')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    answer = graph.send_until(images, image_message(image), answers, process=process)
    assert len(answer.skeletons) == people
    size = np.array(image.shape[1::-1])
    for skeleton in answer.skeletons:
        seen = skeleton.face if run == 'face' else skeleton.keypoints
        points = np.array([(point.x, point.y) for point in seen if point.confidence > 0])
        assert len(points) >= (68 if run == 'face' else 8)
        assert (points > -.1 * size).all() and (points < 1.1 * size).all()
    assert process.stop() == 0
