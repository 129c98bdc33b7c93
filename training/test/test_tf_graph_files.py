# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are no frozen TensorFlow graph."""
import pytest

from pose_training.errors import WeightsError
from pose_training.importers import tf_graph
from pose_training.models import get_spec


@pytest.fixture
def weights(shared):
    return shared / 'weights'


def test_a_graph_without_weights_points_to_the_checkpoint(weights):
    with pytest.raises(WeightsError, match='variables without values.*tf-checkpoint'):
        tf_graph.read_weights(str(weights / 'tf_pose_mobilenet_thin_graph_noweights.pbtxt'),
                              get_spec('mobilenet_thin'))


@pytest.mark.parametrize('content, message', [
    (b'', 'holds no nodes'),
    (b'\x08\x07', 'holds no nodes'),  # what an ONNX file looks like
    (bytes(range(256)) * 8, 'is no TensorFlow graph'),
    (b'\x89PNG\r\n\x1a\n' + bytes(100), 'is no TensorFlow graph'),
    (b'Dear reader,\nthis is prose.\n', 'is no TensorFlow graph'),
    (b'node { name: "a" op: "Const" attr { key: "v" value { tensor { dtype: DT_NONE } } } }',
     'is no TensorFlow graph'),
    (b'node { name: "a" op: "NoOp" }', "0 ConcatV2 nodes are named 'concat_stage7'"),
], ids=['empty', 'onnx', 'bytes', 'png', 'prose', 'type', 'small'])
def test_no_graph(tmp_path, content, message):
    path = tmp_path / 'graph.pb'
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        tf_graph.read_weights(str(path), get_spec('mobilenet_thin'))
    assert str(path) in str(caught.value)


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / 'missing.pb'):
        with pytest.raises(WeightsError, match='cannot read'):
            tf_graph.read_weights(str(path), get_spec('mobilenet_thin'))


@pytest.mark.parametrize('part', [.1, .5, .999])
def test_a_graph_that_was_cut_short(weights, tmp_path, part):
    content = (weights / 'tf_pose_mobilenet_v2_small_graph_opt.pb').read_bytes()
    path = tmp_path / 'graph.pb'
    path.write_bytes(content[:int(len(content) * part)])
    with pytest.raises(WeightsError, match='cut short'):
        tf_graph.read_weights(str(path), get_spec('mobilenet_v2_small'))
