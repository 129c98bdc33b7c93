# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of detectors to boxes: each format against boxes that were encoded by hand."""
import numpy as np
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError

WIDTH, HEIGHT, STRIDES = 128, 64, [8, 16, 32]
CELLS = [(WIDTH // s) * (HEIGHT // s) for s in STRIDES]
BOXES = np.array([[10.0, 12, 30, 40], [70, 5, 50, 55], [3, 2, 9, 12]])  # left, top, w, h
SCORES = np.array([0.9, 0.8, 0.6])
PLACES = ((0, 4, 3), (1, 6, 2), (0, 0, 1))  # stride, column, row of the cell that has the box
OUTPUTS = {
    'yolox': {'format': 'yolox', 'tensor': 'rows', 'strides': STRIDES, 'class': 1},
    'rtmdet': {'format': 'rtmdet', 'scores': ['s0', 's1', 's2'], 'boxes': ['b0', 'b1', 'b2'],
               'strides': STRIDES},
    'distances': {'format': 'distances', 'tensor': 'rows', 'strides': STRIDES},
    'yolo': {'format': 'yolo', 'tensor': 'rows', 'class': 1},
    'ssd': {'format': 'ssd', 'box_tensor': 'boxes', 'score_tensor': 'scores', 'labels': 'labels',
            'class': 1},
    'anchors': {'format': 'anchors', 'box_tensor': 'boxes', 'score_tensor': 'scores',
                'strides': [8, 16, 16, 32]},
    'list': {'format': 'list', 'tensor': 'dets', 'labels': 'labels', 'class': 0},
}


def card(kind, outputs=None, **settings):
    return parse_card({
        'schema': 1, 'name': 'detector', 'version': '1', 'license': 'MIT', 'task': 'detection',
        'topology': None, 'provenance': {},
        'input': {'height': HEIGHT, 'width': WIDTH, 'color': 'bgr', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': 'letterbox', 'align': 'top_left',
                  'interpolation': 'linear', 'pad_value': 114},
        'decoder': {'type': 'boxes', 'outputs': outputs or OUTPUTS[kind],
                    'settings': settings}}, 'test')


def logit(score):
    return np.log(score / (1 - score))


def index(place):
    level, column, row = place
    return sum(CELLS[:level]) + row * (WIDTH // STRIDES[level]) + column


def encoded(kind):
    """Write BOXES as a network of this kind yields them."""
    low, high = BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]
    if kind == 'list':
        rows = np.concatenate([low, high, SCORES[:, None]], 1)
        return {'dets': np.concatenate([rows, [[0, 0, 50, 50, .99]]]).astype(np.float32),
                'labels': np.array([0, 0, 0, 2])}
    if kind == 'ssd':
        size = (HEIGHT, WIDTH)
        corners = np.concatenate([low[:, ::-1] / size, high[:, ::-1] / size], 1)
        return {'boxes': np.concatenate([corners, [[0, 0, 1, 1]]]),
                'scores': np.append(SCORES, .99), 'labels': np.array([1., 1, 1, 2])}
    if kind == 'yolo':
        rows = np.zeros((4 + 3, 40))
        rows[:2, 5:8], rows[2:4, 5:8] = ((low + high) / 2).T, BOXES[:, 2:].T
        rows[5, 5:8], rows[6] = SCORES, .99
        return {'rows': rows}
    return encoded_by_cell(kind, low, high)


def encoded_by_cell(kind, low, high):
    strides = np.array([STRIDES[level] for level, _, _ in PLACES], float)
    cells = np.array([place[1:] for place in PLACES], float)
    total = sum(CELLS)
    if kind == 'anchors':
        rows = np.zeros((2 * CELLS[0] + 4 * CELLS[1] + 2 * CELLS[2], 18))
        places = [2 * index(PLACES[0]) + 1, 2 * CELLS[0] + 4 * (index(PLACES[1]) - CELLS[0]) + 3,
                  2 * index(PLACES[2])]
        rows[places, :2] = (low + high) / 2 - (cells + .5) * strides[:, None]
        rows[places, 2:4] = BOXES[:, 2:]
        scores = np.full((len(rows), 1), -9.)
        scores[places, 0] = logit(SCORES)
        return {'boxes': rows, 'scores': scores}
    if kind == 'yolox':
        rows = np.zeros((total, 5 + 3), np.float32)
        for k, place in enumerate(PLACES):
            rows[index(place), :2] = (low[k] + high[k]) / 2 / strides[k] - cells[k]
            rows[index(place), 2:4] = np.log(BOXES[k, 2:] / strides[k])
            rows[index(place), 4:] = (0.95, 0.1, SCORES[k] / 0.95, 0.99)
        return {'rows': rows}
    offset = 0.5 if kind == 'distances' else 0.0
    points = (cells + offset) * strides[:, None]
    distances = np.concatenate([points - low, high - points], 1)
    table = np.full((5, total), -9.0, np.float32)
    for k, place in enumerate(PLACES):
        values = np.log(distances[k] / strides[k]) if kind == 'distances' else distances[k]
        table[:, index(place)] = np.append(values, logit(SCORES[k]))
    if kind == 'distances':
        return {'rows': table}
    outputs, first = {}, 0
    for level, (stride, count) in enumerate(zip(STRIDES, CELLS)):
        part = table[:, first:first + count].reshape(5, HEIGHT // stride, WIDTH // stride)
        outputs['s{}'.format(level)], outputs['b{}'.format(level)] = part[4:], part[:4]
        first += count
    return outputs


@pytest.mark.parametrize('kind', sorted(OUTPUTS))
def test_boxes_are_read_back(kind):
    decoder = create_decoder(card(kind))
    decoder.check_outputs(encoded(kind))
    found = decoder.decode(encoded(kind))
    assert found.keypoints.shape == (3, 0, 3)
    assert np.abs(found.boxes - BOXES).max() < 1e-3
    assert np.allclose(found.scores, SCORES, atol=1e-4)


def test_a_list_with_the_class_in_its_sixth_column():
    outputs = encoded('list')
    rows = np.concatenate([outputs['dets'], outputs['labels'][:, None]], 1)
    decoder = create_decoder(card('list', dict(OUTPUTS['list'], labels=None)))
    assert np.allclose(decoder.decode({'dets': rows}).boxes, BOXES)
    empty = decoder.decode({'dets': np.zeros((0, 6), np.float32)})
    assert empty.boxes.shape == (0, 4) and empty.keypoints.shape == (0, 0, 3)


def test_settings():
    outputs = encoded('distances')
    assert len(create_decoder(card('distances', min_score=0.7)).decode(outputs).scores) == 2
    assert len(create_decoder(card('distances', max_boxes=1)).decode(outputs).scores) == 1


def test_boxes_grow_around_their_centers():
    grown = create_decoder(card('distances', growth=2.0)).decode(encoded('distances')).boxes
    assert np.abs(grown[:, 2:] - 2 * BOXES[:, 2:]).max() < 2e-3
    assert np.abs((grown[:, :2] + grown[:, 2:] / 2)
                  - (BOXES[:, :2] + BOXES[:, 2:] / 2)).max() < 2e-3


def test_overlapping_boxes_are_suppressed():
    """A second cell yields the first box, moved by a fifth of its width: IoU 2 / 3."""
    outputs = encoded('distances')
    other = outputs['rows'][:, index(PLACES[0])].copy()
    stride = 8.0
    other[:4] = np.log(np.exp(other[:4]) + np.array([-6, 0, 6, 0]) / stride)
    other[4] = logit(0.7)
    rows = outputs['rows'].copy()
    rows[:, index((0, 4, 4))] = other + np.array([0, 1e-6, 0, 1e-6, 0])
    rows[1, index((0, 4, 4))] = np.log(np.exp(other[1]) + 1)
    rows[3, index((0, 4, 4))] = np.log(np.exp(other[3]) - 1)
    for limit, count in ((0.6, 3), (0.7, 4)):
        found = create_decoder(card('distances', nms_iou=limit)).decode({'rows': rows})
        assert len(found.scores) == count
    assert (np.diff(found.scores) <= 0).all()


def test_nobody():
    outputs = {'rows': np.full((5, sum(CELLS)), -9.0, np.float32)}
    found = create_decoder(card('distances')).decode(outputs)
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,)


def test_wild_values_do_not_overflow():
    outputs = {'rows': np.full((5, sum(CELLS)), 1e4, np.float32)}
    with np.errstate(over='raise'):
        assert np.isfinite(create_decoder(card('distances')).decode(outputs).boxes).all()


@pytest.mark.parametrize('change, words', [
    ({'format': 'detr'}, "'format' must be one of"), ({'strides': []}, "'strides' must be a list"),
    ({'strides': [8, 16.0]}, "'strides' must be"), ({'tensor': 3}, 'must be output names'),
    ({'class': 1}, "unknown key 'class'")])
def test_invalid_outputs_are_named(change, words):
    with pytest.raises(CardError, match=words):
        create_decoder(card('distances', dict(OUTPUTS['distances'], **change)))


def test_outputs_of_the_network_are_checked():
    decoder = create_decoder(card('distances'))
    with pytest.raises(CardError, match="no output 'rows'"):
        decoder.check_outputs({'other': np.zeros((5, sum(CELLS)))})
    with pytest.raises(CardError, match="do not have the form of 'distances'"):
        decoder.check_outputs({'rows': np.zeros((5, 7))})
    with pytest.raises(CardError, match=r'yields \(168, 4\) boxes and \(56,\) scores'):
        create_decoder(card('rtmdet')).check_outputs(
            dict(encoded('rtmdet'), s0=np.zeros((1, 4, 4), np.float32)))


def test_agreement_is_measured_on_boxes():
    decoder = create_decoder(card('distances'))
    expected = {'rows': encoded('distances')['rows'][None]}
    moved = {'rows': expected['rows'] + np.float32(0.01)}
    assert decoder.agrees(expected, moved, 'fp16') == ''
    lost = {'rows': expected['rows'].copy()}
    lost['rows'][0, 4, index(PLACES[1])] = -9
    assert 'score 0.80 is lost' in decoder.agrees(expected, lost, 'fp16')
    assert 'is new' in decoder.agrees(lost, expected, 'fp16')
