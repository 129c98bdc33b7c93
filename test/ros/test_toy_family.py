# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node with a family that was added by one file and one registry line (see test/toy.py)."""
import importlib
import sys

from graph import image_message, RELIABLE, ROOT
import numpy as np
import pytest
from sensor_msgs.msg import Image
import toy

from pose_ros.core.decoders import DECODERS
from pose_ros.msg import SkeletonArray


def test_the_node_runs_it_with_its_own_parameters(graph, tmp_path):
    pytest.importorskip('onnx')
    (tmp_path / 'toy_decoder.py').write_text(toy.TOY_DECODER)
    model = toy.make_toy_model(tmp_path / 'toy.onnx')
    script = [str(ROOT / 'test' / 'ros' / 'toy_estimator.py'), str(tmp_path)]
    process = graph.start('estimator', script=script[0], arguments=script[1:], model=model,
                          **{'pose.gain': 0.5})
    answers = graph.collect(SkeletonArray, 'skeletons')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    message = image_message(np.full((480, 360, 3), 255, np.uint8))
    person, = graph.send_until(images, message, answers, process=process).skeletons
    assert person.confidence == pytest.approx(0.5, abs=1e-3)
    found = [(keypoint.x, keypoint.y) for keypoint in person.keypoints]
    # The image is the crop: 48 x 64 become 360 x 480.
    assert np.allclose(found, (np.array(toy.PLACES) + .5) * 7.5 - .5, atol=1e-2)
    assert graph.set_parameter('pose.gain', 1.0).successful
    assert not graph.set_parameter('pose.gain', 99.0).successful
    graph.send_while(images, message, lambda: answers[-1].skeletons[0].confidence == pytest.approx(
        1.0, abs=1e-3), 'the new gain', process)
    assert process.stop() == 0


def test_the_documents_list_it(tmp_path, monkeypatch):
    (tmp_path / 'toy_decoder.py').write_text(toy.TOY_DECODER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    monkeypatch.setitem(DECODERS, 'toy', ('toy_decoder', 'ToyDecoder'))
    reference = importlib.import_module('write_reference')
    assert '| `pose.gain` | `1.0` | 0 to 10 |' in reference.markdown_table('settings')
    assert 'gain: 1.0' in reference.estimator_yaml()
    sys.modules.pop('toy_decoder')
