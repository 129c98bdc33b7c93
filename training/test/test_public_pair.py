# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A public detector and a public crop network give their known accuracy in our pipeline."""
import pytest

from pose_training.evaluation.evaluate import evaluate

# AP of an independent evaluation, quarter offset, one scale, no mirrored image.
KNOWN = {'coco_dev': .535, 'fashion_dev': .877}
EVERYONE = {'detector.min_score': .05, 'selection.min_score': 0., 'selection.min_keypoints': 1,
            'pose.keypoint_threshold': 0., 'top_down.max_people': 100}


@pytest.mark.parametrize('name', sorted(KNOWN))
def test_yolox_nano_and_tinypose(shared, name):
    pytest.importorskip('openvino')
    weights = shared / 'weights'
    found, = evaluate(str(weights / 'tinypose_256_192' / 'model.xml'),
                      str(shared / 'data' / 'dev' / (name + '.json')), settings=EVERYONE,
                      detector=str(weights / 'yolox_nano.onnx'))
    assert KNOWN[name] - .01 < found.figures['AP'] < KNOWN[name] + .03
    assert found.figures['swapped'] < .05
