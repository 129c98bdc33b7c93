# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One-stage networks, SimCC and coordinates: decoders on outputs encoded by hand."""
import numpy as np
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError
from pose_ros.core.topology import get_topology

WIDTH, HEIGHT, K = 192, 256, 17
MIRROR = list(get_topology('coco_17').mirror)
OUTPUTS = {
    'simcc': {'x': 'sx', 'y': 'sy', 'bins_per_pixel': 2, 'channels': list(range(K))},
    'yolo_pose': {'tensor': 'output0', 'form': 'cells'},
    'rtmo': {'boxes': 'dets', 'keypoints': 'points'},
    'movenet_multipose': {'tensor': 'rows'},
    'regression': {'tensor': 'points', 'columns': ['y', 'x', 'score'], 'unit': 'fractions',
                   'channels': list(range(K)), 'scores': 'probability', 'presence': None},
}
FORMS = ('yolo_pose cells', 'yolo_pose list', 'rtmo', 'movenet_multipose')


def card(kind, outputs=None, **settings):
    return parse_card({
        'schema': 1, 'name': kind, 'version': '1', 'license': 'MIT', 'task': 'pose',
        'topology': 'coco_17', 'provenance': {},
        'input': {'height': HEIGHT, 'width': WIDTH, 'color': 'rgb', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'align': 'center',
                  'fit': 'crop' if kind in ('simcc', 'regression') else 'letterbox',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': kind, 'outputs': dict(OUTPUTS[kind], **outputs or {}),
                    'settings': settings}}, 'test')


def people(seed=0):
    """Return boxes (3, 4) as corners, scores (3,) and keypoints (3, 17, 3)."""
    random = np.random.RandomState(seed)
    corners = np.array([[10, 20, 90, 200], [100, 30, 180, 240], [95, 5, 120, 60]], float)
    keypoints = np.concatenate([
        random.uniform(corners[:, None, :2], corners[:, None, 2:], (3, K, 2)),
        random.uniform(.4, 1, (3, K, 1))], 2)
    keypoints[1, 3, 2] = .1
    return corners, np.array([.7, .9, .5]), keypoints


def encoded(form, corners, scores, keypoints):
    count, flat = len(scores), keypoints.reshape(len(scores), -1)
    if form == 'rtmo':
        return {'dets': np.column_stack([corners, scores]), 'points': keypoints}
    if form == 'yolo_pose list':
        return {'output0': np.column_stack([corners, scores, np.zeros(count), flat])}
    if form == 'yolo_pose cells':
        rows = np.column_stack([(corners[:, :2] + corners[:, 2:]) / 2,
                                corners[:, 2:] - corners[:, :2], scores, flat])
        return {'output0': np.concatenate([np.zeros((50, 5 + 3 * K)), rows]).T}
    size = np.array((WIDTH, HEIGHT), float)
    points = np.concatenate([((keypoints[..., :2] + .5) / size)[..., ::-1], keypoints[..., 2:]], 2)
    box = corners.reshape(-1, 2, 2) / size
    return {'rows': np.column_stack([points.reshape(count, -1), box[..., ::-1].reshape(count, 4),
                                     scores])}


def decoder_of(form, **settings):
    kind, _, layout = form.partition(' ')
    return create_decoder(card(kind, {'form': layout} if layout else None, **settings))


def in_float32(outputs):
    return {name: array.astype(np.float32) for name, array in outputs.items()}


@pytest.mark.parametrize('form', FORMS)
def test_people_come_out_as_they_were_written_best_first(form):
    corners, scores, keypoints = people()
    decoder = decoder_of(form, min_score=.3)
    outputs = in_float32(encoded(form, corners, scores, keypoints))
    decoder.check_outputs(outputs)
    found = decoder.decode(outputs)
    order = [1, 0, 2]
    np.testing.assert_allclose(found.scores, scores[order], atol=1e-6)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)[order]
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-3)
    assert found.keypoints[0, 3].tolist() == [0, 0, 0]  # below keypoint_threshold
    wanted = keypoints[order]
    wanted[0, 3] = 0
    np.testing.assert_allclose(found.keypoints, wanted, atol=1e-3)


@pytest.mark.parametrize('form', FORMS)
def test_weak_people_duplicates_and_a_surplus_are_dropped(form):
    corners, scores, keypoints = people()
    corners[2] = corners[1] + (1, 2, 0, -1)
    outputs = in_float32(encoded(form, corners, scores, keypoints))
    np.testing.assert_allclose(decoder_of(form).decode(outputs).scores, [.9, .7], atol=1e-6)
    np.testing.assert_allclose(decoder_of(form, nms_iou=1.).decode(outputs).scores,
                               [.9, .7, .5], atol=1e-6)
    assert len(decoder_of(form, max_people=1).decode(outputs).scores) == 1
    nobody = decoder_of(form, min_score=.95).decode(outputs)
    assert nobody.keypoints.shape == (0, K, 3) and nobody.boxes.shape == (0, 4)


@pytest.mark.parametrize('form', FORMS)
def test_engines_are_compared_by_the_people_they_find(form):
    corners, scores, keypoints = people()
    decoder = decoder_of(form)
    whole = in_float32(encoded(form, corners, scores, keypoints))
    moved = in_float32(encoded(form, corners + 1, scores - .05, keypoints))
    scores[1] = .1
    lost = in_float32(encoded(form, corners, scores, keypoints))
    batch = {name: array[None] for name, array in whole.items()}
    assert decoder.agrees(batch, {name: array[None] for name, array in moved.items()},
                          'fp16') == ''
    lost = {name: array[None] for name, array in lost.items()}
    assert 'is lost' in decoder.agrees(batch, lost, 'fp16')
    assert 'is new' in decoder.agrees(lost, batch, 'fp16')


@pytest.mark.parametrize('form', FORMS)
def test_outputs_of_another_form_are_an_error(form):
    outputs = in_float32(encoded(form, *people()))
    name = sorted(outputs)[0]
    decoder = decoder_of(form)
    with pytest.raises(CardError, match='no output {!r}; the network yields other'.format(name)):
        decoder.check_outputs({'other': outputs[name]})
    with pytest.raises(CardError, match='do not have the form of the decoder'):
        decoder.check_outputs(dict(outputs, **{name: outputs[name][:, :-1].T}))


@pytest.mark.parametrize('kind, outputs, words', [
    ('yolo_pose', {'form': 'rows'}, "'form' must be one of cells, list"),
    ('rtmo', {'boxes': 3}, "'boxes' must be an output name"),
    ('movenet_multipose', {'tensors': 'x'}, "unknown key 'tensors'"),
    ('simcc', {'bins_per_pixel': True}, "'bins_per_pixel' must be a number"),
    ('simcc', {'channels': [0]}, r'one channel per keypoint \(17\)')])
def test_invalid_outputs_of_a_card_are_named(kind, outputs, words):
    with pytest.raises(CardError, match=words):
        create_decoder(card(kind, outputs))


def distributions(places, peak=.8):
    """Return SimCC outputs with their maxima at places (17, 2) [px]."""
    return {name: (peak * np.exp(-(np.arange(2 * size) - 2 * places[:, axis, None]) ** 2 / 72.)
                   ).astype(np.float32)
            for axis, (name, size) in enumerate((('sx', WIDTH), ('sy', HEIGHT)))}


def half_pixels(seed=1):
    random = np.random.RandomState(seed)
    return random.randint(20, (2 * WIDTH - 20, 2 * HEIGHT - 20), (K, 2)) / 2.


def test_simcc_reads_the_highest_bins_and_the_lower_score():
    places = half_pixels()
    outputs = distributions(places)
    outputs['sx'][4] *= .5
    outputs['sy'][5] *= .1
    decoder = create_decoder(card('simcc'))
    decoder.check_outputs(outputs)
    found = decoder.decode(outputs)
    kept = np.arange(K) != 5
    np.testing.assert_array_equal(found.keypoints[0, kept, :2], places[kept])
    assert found.keypoints[0, 5].tolist() == [0, 0, 0]
    assert found.keypoints[0, 4, 2] == pytest.approx(.4)
    assert found.scores[0] == pytest.approx((15 * .8 + .4) / 16)


def test_simcc_of_a_mirrored_crop_gives_the_same_keypoints():
    places = half_pixels()
    mirrored = np.column_stack([WIDTH - 1 - places[:, 0], places[:, 1]])[MIRROR]
    decoder = create_decoder(card('simcc'))
    back = decoder.decode(decoder.unmirrored(distributions(mirrored)))
    np.testing.assert_array_equal(back.keypoints[0, :, :2], places)


def test_simcc_takes_the_body_out_of_133_keypoints():
    places = half_pixels()
    outputs = {name: np.concatenate([array, np.ones((116, array.shape[1]), np.float32)])
               for name, array in distributions(places).items()}
    decoder = create_decoder(card('simcc'))
    decoder.check_outputs(outputs)
    np.testing.assert_array_equal(decoder.decode(outputs).keypoints[0, :, :2], places)
    with pytest.raises(CardError, match='rows of 384 bins per crop, but .* 17 x 100'):
        decoder.check_outputs(dict(outputs, sx=np.zeros((17, 100))))


def regression(outputs=None, **settings):
    return create_decoder(card('regression', outputs, **settings))


LANDMARKS = {'columns': ['x', 'y', 'unused', 'score', 'unused'], 'unit': 'pixels',
             'scores': 'logit', 'presence': 'flag'}


def test_regression_of_fractions_as_movenet_writes_them():
    keypoints = people()[2][0]
    keypoints[6, 2] = .1
    size = np.array((WIDTH, HEIGHT), float)
    rows = np.concatenate([((keypoints[:, :2] + .5) / size)[:, ::-1], keypoints[:, 2:]], 1)
    outputs = {'points': rows[None].astype(np.float32)}
    decoder = regression()
    decoder.check_outputs(outputs)
    found = decoder.decode(outputs)
    assert found.keypoints[0, 6].tolist() == [0, 0, 0]
    keypoints[6] = 0
    np.testing.assert_allclose(found.keypoints[0], keypoints, atol=1e-3)
    assert found.scores[0] == pytest.approx(keypoints[:, 2].sum() / 16, abs=1e-6)


def test_regression_of_pixels_with_logits_as_blazepose_writes_them():
    keypoints = people()[2][0]
    rows = np.zeros((39, 5), np.float32)
    rows[5:22, :2] = keypoints[:, :2]
    rows[5:22, 3] = np.log(keypoints[:, 2] / (1 - keypoints[:, 2]))
    outputs = {'points': rows.reshape(-1), 'flag': np.float32([np.log(.8 / .2)])}
    decoder = regression(dict(LANDMARKS, channels=list(range(5, 22))))
    decoder.check_outputs(outputs)
    found = decoder.decode(outputs)
    np.testing.assert_allclose(found.keypoints[0], keypoints, atol=1e-3)
    assert found.scores[0] == pytest.approx(.8 * keypoints[:, 2].mean(), abs=1e-5)
    outputs['flag'] = np.float32([-1])
    assert decoder.decode(outputs).keypoints.shape == (0, K, 3)


def test_regression_without_scores_of_keypoints_takes_that_of_the_whole():
    rows = np.arange(2. * K).reshape(K, 2)
    decoder = regression({'columns': ['x', 'y'], 'unit': 'pixels', 'presence': 'flag'})
    found = decoder.decode({'points': rows, 'flag': np.float32([[.7]])})
    np.testing.assert_allclose(found.keypoints[0, :, 2], .7, atol=1e-6)
    np.testing.assert_array_equal(found.keypoints[0, :, :2], rows)


def test_regression_of_a_network_that_lacks_keypoints():
    rows = np.concatenate([np.full((16, 2), 3.), np.ones((16, 1))], 1)
    decoder = regression({'unit': 'pixels', 'channels': list(range(16)) + [None]})
    decoder.check_outputs({'points': rows})
    found = decoder.decode({'points': rows})
    assert found.keypoints[0, 16].tolist() == [0, 0, 0] and found.scores.tolist() == [1]


def test_regression_compares_engines_by_keypoints():
    rows = np.concatenate([np.full((1, K, 2), .5), np.full((1, K, 1), .9)], 2)
    decoder = regression()
    near, far = rows + (.01, 0, -.1), rows + (.1, 0, 0)
    assert decoder.agrees({'points': rows[None]}, {'points': near[None]}, 'fp16') == ''
    assert 'a keypoint is 25.6 px away' in decoder.agrees({'points': rows[None]},
                                                          {'points': far[None]}, 'fp16')


@pytest.mark.parametrize('outputs, words', [
    ({'columns': ['x', 'x', 'score']}, "'columns' must be a list of x, y, score, unused"),
    ({'columns': ['x', 'y']}, 'there is no score'), ({'unit': 'meters'}, "'unit' must be one of"),
    ({'scores': 'percent'}, "'scores' must be one of probability, logit")])
def test_invalid_outputs_of_a_regression_are_named(outputs, words):
    with pytest.raises(CardError, match=words):
        regression(outputs)


def test_regression_checks_the_outputs_of_the_network():
    with pytest.raises(CardError, match='more than 16 rows of 3 numbers, .* yields 16 x 3'):
        regression().check_outputs({'points': np.zeros((16, 3))})
    with pytest.raises(CardError, match="output 'flag' should be one number, .* yields 2"):
        regression({'presence': 'flag'}).check_outputs({'points': np.zeros((17, 3)),
                                                        'flag': np.zeros(2)})
