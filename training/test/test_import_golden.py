# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights, imported by the command line, agree with the original system."""
import json

import numpy as np
from paf_exact import ExactPafDecoder
import pytest

from pose_ros.core import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.regions import whole
from pose_training.cli.main import main

NAMES = ('COCO_val2014_000000000192', 'apink1', 'p1', 'p2', 'p3', 'ski')
WIDTH, HEIGHT = 432, 368


@pytest.fixture(scope='module')
def estimator(shared, tmp_path_factory):
    """Import the published frozen graph by the command line, and load the file."""
    path = str(tmp_path_factory.mktemp('import') / 'mobilenet_v2_small.onnx')
    graph = str(shared / 'weights' / 'tf_pose_mobilenet_v2_small_graph_opt.pb')
    assert main(['import', 'tf-graph', graph, '--model', 'mobilenet_v2_small', '-o', path]) == 0
    estimator = PoseEstimator(path, backend='onnxruntime')
    yield estimator
    estimator.close()


def original_people(folder, name):
    """Return the people (P, 18, 3) that the original found, in network pixels; NaN for none."""
    humans = json.loads((folder / (name + '.json')).read_text())['humans']
    people = np.full((len(humans), 18, 3), np.nan)
    for person, human in zip(people, humans):
        for part, found in human['parts'].items():
            person[int(part)] = found['x'] * WIDTH, found['y'] * HEIGHT, found['score']
    return people


def in_order(people):
    """Sort people by their keypoints' mean place, to compare them one by one."""
    return people[np.argsort(np.nanmean(people[..., :2], axis=(1, 2)))]


@pytest.mark.parametrize('name', NAMES)
def test_maps_and_people_are_those_of_the_original(estimator, shared, name):
    with np.load(str(shared / 'golden' / (name + '.npz'))) as golden:
        expected = golden['output'].astype(np.float32).transpose(2, 0, 1)
        image = golden['resized_bgr']
    outputs, _ = next(estimator.network([Frame(image)], [whole(0, *Frame(image).size)]))
    found = outputs['output']
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > .99999
    assert np.abs(found - expected).max() < 5e-3
    people = in_order(ExactPafDecoder(estimator.card).decode(outputs).keypoints)
    original = in_order(original_people(shared / 'golden', name))
    assert people.shape == original.shape
    assert np.array_equal(np.isnan(people[..., 0]), np.isnan(original[..., 0]))
    assert np.nanmax(np.abs(people[..., :2] - original[..., :2])) < 1e-9
    seen = ~np.isnan(original[..., 0])
    assert np.abs(people[seen][:, 2] - np.minimum(original[seen][:, 2], 1)).max() < 2e-3
