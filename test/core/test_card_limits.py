# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Cards that contradict themselves, and hostile ones: each is a CardError in one short line."""
import copy
import json
import os

import models
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.card_files import load_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.reading import LARGEST_CARD
from pose_ros.core.topology import TOPOLOGIES


def with_value(path, value, **changes):
    data = copy.deepcopy(models.card_data(**changes))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


def refused(data, *words):
    """Read a card, and make its decoder; return the error."""
    with pytest.raises(CardError) as error:
        create_decoder(parse_card(data, 'file.json'))
    text = str(error.value)
    assert len(text) < 500 and text.isprintable()
    for word in words:
        assert word in text
    return text


@pytest.mark.parametrize('repeat', ['"name": "tiny"', '"license": "MIT"'])
def test_repeated_keys_are_refused(repeat):
    text = json.dumps(models.card_data())
    refused('{' + repeat + ',' + text[1:], 'appears twice', repeat.split('"')[1])
    refused(text.replace('"width": 160', '"width": 160, "width": 320'), "'width' appears twice")


@pytest.mark.parametrize('text, word', [
    ('[' * 100000, 'levels'), ('{"input":' * 50000, 'levels'), (b'\xff\xfe{', 'decode'),
    (' ' * (LARGEST_CARD + 1), 'characters'), ('{"a": 1e400}', 'infinite')])
def test_size_depth_and_numbers_are_limited_first(text, word):
    refused(text, word, 'file.json')


@pytest.mark.parametrize('path, value', [
    (('input', 'scale'), 1e400), (('name',), 'a\ud800'), (('provenance',), {'note': '\udc00'}),
    (('provenance',), {'loss': float('nan')}), (('provenance',), {'big': 10 ** 400}),
    (('decoder', 'outputs', 'heatmaps', 'background'), 10 ** 30),
    (('decoder', 'outputs', 'pafs', 'limbs'), [[0, 1, 10 ** 30]]),
    (('name',), 'n' * 200000), (('license',), 'MIT\x1b[2J'), (('version',), 'a\nb'),
    (('decoder', 'type'), '\x1b[31mpaf'), (('input', 'std'), [1e-300, 1, 1])])
def test_values_that_no_card_needs_are_refused(path, value):
    refused(with_value(path, value), 'file.json')


@pytest.mark.parametrize('key', ['self', 'card', 'args', 'topology'])
def test_a_setting_of_any_name_is_an_error_of_the_card(key, tiny_model):
    refused(with_value(('decoder', 'settings'), {key: 1}), "'{}'".format(key))
    with pytest.raises(CardError, match="selection: settings: unknown key '{}'".format(key)):
        PoseEstimator(tiny_model, card=models.card_data(selection={key: 1}),
                      backend='onnxruntime')


@pytest.mark.parametrize('outputs', [
    {'format': ['yolox']}, {'format': {}}, {'format': 'yolox', 'tensor': None, 'strides': [8],
                                            'class': 0},
    {'format': 'yolox', 'tensor': 'x', 'strides': [8, 8], 'class': 0},
    {'format': 'rtmdet', 'scores': ['a'], 'boxes': ['a'], 'strides': [8]},
    {'format': 'list', 'tensor': 'x', 'labels': 'x', 'class': 0}])
def test_contradictory_outputs_of_detectors(outputs):
    data = models.card_data(task='detection', topology=None)
    data['decoder'] = {'type': 'boxes', 'outputs': outputs, 'settings': {}}
    refused(data, 'outputs')


def test_a_detector_selects_no_people_and_takes_whole_images():
    data = models.card_data(task='detection', topology=None, selection={'min_score': 0.5})
    refused(data, "'selection' belongs to the task pose")
    data = with_value(('input', 'fit'), 'crop', task='detection', topology=None)
    refused(data, "'fit' cannot be crop")


def test_one_channel_for_all_keypoints_is_refused():
    refused(with_value(('decoder', 'outputs', 'heatmaps', 'channels'), [0] * 18), "'channels'")
    data = with_value(('input', 'fit'), 'crop')
    data['decoder'] = {'type': 'heatmap', 'settings': {}, 'outputs': {
        'tensor': 'output', 'channels': [3] * 18, 'grid': 'corner'}}
    refused(data, "'channels'")


def test_the_background_is_no_keypoint_and_exists(tiny_model):
    path = ('decoder', 'outputs', 'heatmaps', 'background')
    refused(with_value(path, 5), "'background'")
    with pytest.raises(CardError, match='more than 1000 x'):
        PoseEstimator(tiny_model, card=with_value(path, 1000), backend='onnxruntime')


@pytest.mark.parametrize('limbs', [
    [[1, 1, 19]], [[1, 2, 19], [2, 1, 21]], [[1, 2, 19], [1, 2, 21]],
    [[1, 2, 19], [1, 5, 20]], [[1, 2, 19], [1, 5, 19]], [[1, 2, 0]], [[1, 2, 17]], [[1, 2, 18]]])
def test_limbs_are_distinct_and_read_no_heatmap(limbs):
    refused(with_value(('decoder', 'outputs', 'pafs', 'limbs'), limbs), "'limbs'")


@pytest.mark.parametrize('change', [
    {'limbs': [[0, 0]]}, {'limbs': [[0, 1], [1, 0]]}, {'limbs': [[0, 1], [0, 1]]},
    {'limbs': [[False, True]]}, {'mirror': [True, False]}, {'keypoint_names': ['a', 'b' * 101]},
    {'keypoint_names': ['a', 'b\x1b[31m']}, {'name': 'x' * 101}])
def test_contradictory_topologies(change):
    own = dict({'name': 'pair', 'keypoint_names': ['a', 'b'], 'limbs': [[0, 1]]}, **change)
    refused(with_value(('topology',), own), 'topology')


def test_another_skeleton_has_another_name():
    own = {'name': 'coco_18', 'keypoint_names': ['a', 'b'], 'limbs': [[0, 1]]}
    refused(with_value(('topology',), own), "'coco_18' is not the bundled skeleton")
    bundled = TOPOLOGIES['coco_18']
    same = {'name': 'coco_18', 'keypoint_names': list(bundled.keypoint_names),
            'limbs': [list(limb) for limb in bundled.limbs]}
    assert parse_card(with_value(('topology',), same), 'x').topology == bundled


def test_min_keypoints_is_at_most_the_number_of_keypoints(tiny_model):
    with pytest.raises(CardError, match=r'min_keypoints must be within \[1, 18\], not 200'):
        PoseEstimator(tiny_model, card=models.card_data(selection={'min_keypoints': 200}),
                      backend='onnxruntime')


def test_a_card_with_nan_is_not_written():
    card = models.tiny_card(provenance={'ap': 0.5})
    with pytest.raises(CardError, match="'ap' is NaN"):
        card._replace(provenance={'ap': float('nan')}).to_json()


@pytest.mark.parametrize('kind', ['pipe', 'folder', 'device', 'large'])
def test_a_card_is_a_regular_file_of_a_sane_size(kind, tiny_model, tmp_path):
    path = str(tmp_path / 'card.json')
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'folder':
        os.mkdir(path)
    elif kind == 'device':
        path = '/dev/zero'
    else:
        with open(path, 'wb') as stream:
            stream.truncate(1 << 40)
    with pytest.raises(CardError) as error:
        load_card(tiny_model, path)
    assert path in str(error.value)
    assert {'large': 'at most'}.get(kind, 'not a regular file') in str(error.value)
