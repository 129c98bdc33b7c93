# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Several people from score maps, refinement and pairwise terms that were encoded by hand."""
import numpy as np
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError

K, ROWS, COLUMNS = 3, 20, 30
PEOPLE = np.array([[[30, 20], [34, 60], [26, 110]], [[90.5, 25], [95, 66], [99, 120]],
                   [[200, 30], [203, 71], [190, 118]]])
MEAN, STD = np.full((K * (K - 1), 2), 3.), np.full((K * (K - 1), 2), 20.)
# Sure below 10 px, impossible beyond 20 px: distances count, angles do not.
MODEL = {'low': [0.] * 8, 'high': [1.] * 8, 'weights': [-.3, 0, -.3, 0, 0, 0, 0, 0, 8.]}
PAIRS = [dict(MODEL, keypoints=pair) for pair in ([0, 1], [0, 2], [1, 2])]


def decoder(outputs=None, **settings):
    spec = {'scores': 'parts', 'score_kind': 'probability', 'offsets': 'locref',
            'offset_scale': 7.2801, 'stride': 8, 'channels': [0, 1, 2], 'pairwise': 'pairwise',
            'pairwise_mean': MEAN.tolist(), 'pairwise_std': STD.tolist(), 'pairs': PAIRS}
    spec.update(outputs or {})
    return create_decoder(parse_card({
        'schema': 1, 'name': 'parts', 'version': '1', 'license': 'MIT', 'task': 'pose',
        'topology': {'name': 'three', 'keypoint_names': ['a', 'b', 'c'], 'limbs': []},
        'provenance': {},
        'input': {'height': 8 * ROWS, 'width': 8 * COLUMNS, 'color': 'rgb', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': 'letterbox', 'align': 'center',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': 'part_pairwise', 'outputs': spec, 'settings': settings}}, 'test'))


def encoded(people=PEOPLE, scores=.9):
    """Write people as DeeperCut does: a disc of cells per keypoint, offsets from each cell."""
    outputs = {'parts': np.zeros((K, ROWS, COLUMNS)), 'locref': np.zeros((2 * K, ROWS, COLUMNS)),
               'pairwise': np.zeros((2 * K * (K - 1), ROWS, COLUMNS))}
    scores = np.broadcast_to(scores, people.shape[:2])
    for person, values in zip(people, scores):
        for a, (point, score) in enumerate(zip(person, values)):
            if np.isnan(point).any():
                continue
            column, row = np.int64(point // 8)
            for r, c, part in ((row, column, 1), (row, column + 1, .8), (row - 1, column, .7)):
                cell = np.array([8 * c + 4, 8 * r + 4])
                outputs['parts'][a, r, c] = score * part
                outputs['locref'][2 * a:2 * a + 2, r, c] = (point - cell) / 7.2801
                for b in range(K):
                    if b != a:
                        pair = (K - 1) * a + b - (a < b)
                        outputs['pairwise'][2 * pair:2 * pair + 2, r, c] = (
                            person[b] - cell - MEAN[pair]) / STD[pair]
    return {name: array.astype(np.float32) for name, array in outputs.items()}


def in_order(found):
    return found.keypoints[np.argsort(np.nanmin(np.where(
        found.keypoints[..., 2] > 0, found.keypoints[..., 0], np.inf), 1))]


def test_people_come_out_as_they_were_written():
    parts = decoder()
    parts.check_outputs(encoded())
    found = parts.decode(encoded())
    np.testing.assert_allclose(in_order(found)[..., :2], PEOPLE, atol=1e-3)
    np.testing.assert_allclose(found.keypoints[..., 2], .9, atol=1e-6)
    np.testing.assert_allclose(found.scores, .9, atol=1e-6)


def test_without_models_each_keypoint_is_on_its_own():
    found = decoder({'pairs': []}).decode(encoded())
    assert len(found.scores) == 9 and ((found.keypoints[..., 2] > 0).sum(1) == 1).all()


def test_two_detections_of_one_keypoint_are_averaged_by_probability():
    """With a small radius the cells of a disc remain, all refined to the same place."""
    found = decoder(nms_radius=0).decode(encoded())
    np.testing.assert_allclose(in_order(found)[..., :2], PEOPLE, atol=1e-3)


def test_a_missing_keypoint_leaves_the_person_together():
    people = PEOPLE.astype(float).copy()
    missing = encoded(people)
    missing['parts'][1, :, :12] = 0
    found = in_order(decoder().decode(missing))
    assert len(found) == 3 and found[0, 1].tolist() == [0, 0, 0]
    np.testing.assert_allclose(found[0, [0, 2], :2], people[0, [0, 2]], atol=1e-3)


def test_weak_detections_without_support_are_dropped():
    lonely = np.where(np.arange(K)[None, :, None] == 0, PEOPLE[:1], np.nan)
    assert len(decoder().decode(encoded(lonely, .4)).scores) == 0
    assert len(decoder().decode(encoded(lonely, .8)).scores) == 1
    assert len(decoder().decode(encoded(PEOPLE, .4)).scores) == 3  # of three that agree


def test_an_empty_image_has_nobody():
    found = decoder().decode(encoded(PEOPLE[:0]))
    assert found.keypoints.shape == (0, K, 3)


@pytest.mark.parametrize('outputs, words', [
    ({'pairwise_mean': [[1, 2]]}, "'pairwise_mean' must be 6 x 2 numbers"),
    ({'pairs': {}}, "'pairs' must be a list"),
    ({'pairs': [dict(MODEL, keypoints=[1, 0])]}, 'a < b < 3'),
    ({'pairs': [{'keypoints': [0, 1], 'low': [0] * 8, 'high': [1] * 8}]}, "needs 'weights'"),
    ({'pairs': [dict(MODEL, keypoints=[0, 1], weights=[1])]}, r"\[0, 1\]: 'weights' must be 9")])
def test_invalid_outputs_of_a_card_are_named(outputs, words):
    with pytest.raises(CardError, match=words):
        decoder(outputs)


def test_outputs_of_another_form_are_an_error():
    with pytest.raises(CardError, match="'pairwise' should be at least 12 maps"):
        decoder().check_outputs(dict(encoded(), pairwise=np.zeros((11, ROWS, COLUMNS), 'f')))
