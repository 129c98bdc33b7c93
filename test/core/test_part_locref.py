# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Score maps with location refinement, encoded by hand."""
import numpy as np
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError

NAMES = ['nose', 'left_ear', 'right_ear', 'tail', 'paw']
POINTS = np.array([[20, 30], [90.5, 11], [61, 47.25], [5, 60], [100, 33]])  # px
SCORES = np.array([.9, .8, .7, .6, .04])


def decoder(outputs=None, **settings):
    spec = {'scores': 'parts', 'score_kind': 'logit', 'offsets': 'locref',
            'offset_scale': 7.2801, 'stride': 8, 'channels': [0, 1, 2, 3, 4]}
    spec.update(outputs or {})
    return create_decoder(parse_card({
        'schema': 1, 'name': 'dog', 'version': '1', 'license': 'MIT', 'task': 'pose',
        'topology': {'name': 'dog', 'keypoint_names': NAMES, 'limbs': [[0, 1]]}, 'provenance': {},
        'input': {'height': 64, 'width': 128, 'color': 'rgb', 'scale': 1.0, 'mean': [0.0] * 3,
                  'std': [1.0] * 3, 'fit': 'letterbox', 'align': 'center',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': 'part_locref', 'outputs': spec, 'settings': settings}}, 'test'))


def encoded():
    """Write POINTS as DeeperCut does: cell (x, y) shows the pixel 8 x + 4, 8 y + 4."""
    scores, offsets = np.full((5, 8, 16), -9.), np.random.RandomState(0).normal(size=(10, 8, 16))
    for k, (point, score) in enumerate(zip(POINTS, SCORES)):
        column, row = np.int64(point // 8)
        scores[k, row, column] = np.log(score / (1 - score))
        offsets[2 * k:2 * k + 2, row, column] = (point - (8 * column + 4, 8 * row + 4)) / 7.2801
    return {'parts': scores.astype(np.float32), 'locref': offsets.astype(np.float32)}


def test_points_come_out_as_they_were_written():
    dog = decoder()
    dog.check_outputs(encoded())
    found = dog.decode(encoded())
    np.testing.assert_allclose(found.keypoints[0, :4], np.column_stack([POINTS, SCORES])[:4],
                               atol=1e-4)
    assert found.keypoints[0, 4].tolist() == [0, 0, 0]  # below keypoint_threshold
    assert found.scores[0] == pytest.approx(SCORES[:4].mean())


def test_without_refinement_a_point_is_the_middle_of_its_cell():
    found = decoder({'offsets': None}).decode(encoded())
    assert found.keypoints[0, 0, :2].tolist() == [20, 28]


def test_channels_may_be_scattered_and_scores_be_probabilities():
    outputs = {'parts': SCORES[::-1, None, None] * np.eye(8, 16)[None],
               'locref': np.zeros((10, 8, 16))}
    found = decoder({'channels': [4, 3, 2, 1, 0], 'score_kind': 'probability'}).decode(outputs)
    assert found.keypoints[0, :4, 2] == pytest.approx(SCORES[:4])


@pytest.mark.parametrize('outputs, words', [
    ({'score_kind': 'percent'}, "'score_kind' must be one of"),
    ({'stride': 0}, "'stride' must be a number above 0"),
    ({'offset_scale': '7'}, "'offset_scale' must be a number"),
    ({'channels': [0]}, 'one channel per keypoint')])
def test_invalid_outputs_of_a_card_are_named(outputs, words):
    with pytest.raises(CardError, match=words):
        decoder(outputs)


def test_outputs_of_another_form_are_an_error():
    with pytest.raises(CardError, match='at least 5 maps, but the network yields 4 x 8 x 16'):
        decoder().check_outputs(dict(encoded(), parts=np.zeros((4, 8, 16), np.float32)))
    with pytest.raises(CardError, match="at least 10 maps of the size of 'parts'"):
        decoder().check_outputs(dict(encoded(), locref=np.zeros((10, 8, 15), np.float32)))
