# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Model cards: every invalid key is named."""
import copy
import json

import models
import pytest

from pose_ros.core.card import CARD_KEY, InputSpec, parse_card, with_input_size
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError

GOOD = models.card_data()
INPUT_KEYS = ('height', 'width', 'color', 'scale', 'mean', 'std', 'fit', 'align', 'interpolation',
              'pad_value')


def changed(path, value='__missing__'):
    """Return a copy of GOOD with one key replaced, or taken out."""
    data = copy.deepcopy(GOOD)
    place = data
    for key in path[:-1]:
        place = place[key]
    if value == '__missing__':
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def test_reads_json_bytes_and_dicts_alike():
    text = json.dumps(GOOD)
    card = parse_card(text, 'x')
    assert card == parse_card(text.encode('utf-8'), 'x') == parse_card(GOOD, 'x')
    assert (card.name, card.decoder.type, card.topology.name) == ('tiny', 'paf', 'coco_18')
    assert card.input == InputSpec(128, 160, 'bgr', 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0),
                                   'letterbox', 'center', 'linear', 0)
    assert CARD_KEY == 'pose_ros.card'  # files in the field carry this key


def test_round_trip_keeps_everything():
    data = models.card_data(name='ünï', provenance={'note': 'ß', 'numbers': [1, 2.5, None]})
    data['input'].update(color='rgb', scale=1 / 255.0, mean=[0.485, 0.456, 0.406],
                         std=[0.229, 0.224, 0.225], fit='stretch', interpolation='area',
                         pad_value=114)
    card = parse_card(data, 'x')
    assert parse_card(card.to_json(), 'x') == card
    assert json.loads(card.to_json()) == data  # a bundled topology stays a word


def test_custom_topology_round_trip():
    own = {'name': 'pair', 'keypoint_names': ['left_end', 'middle', 'right_end'],
           'limbs': [[0, 1], [1, 2]]}
    card = parse_card(changed(('topology',), own), 'x')
    assert card.topology.mirror == (2, 1, 0)
    assert card.topology.limbs == ((0, 1), (1, 2))
    assert parse_card(card.to_json(), 'x') == card
    given = parse_card(changed(('topology',), dict(own, mirror=[1, 0, 2])), 'x')
    assert given.topology.mirror == (1, 0, 2)
    assert parse_card(given.to_json(), 'x') == given


@pytest.mark.parametrize('key', sorted(GOOD))
def test_each_missing_key_is_named(key):
    with pytest.raises(CardError, match="file.json: missing key '{}'".format(key)):
        parse_card(changed((key,)), 'file.json')


@pytest.mark.parametrize('key', INPUT_KEYS)
def test_each_missing_input_key_is_named(key):
    with pytest.raises(CardError, match="file.json, input: missing key '{}'".format(key)):
        parse_card(changed(('input', key)), 'file.json')


@pytest.mark.parametrize('path', [('extra',), ('input', 'extra')])
def test_unknown_keys_are_named(path):
    with pytest.raises(CardError, match="unknown key 'extra'; the keys are"):
        parse_card(changed(path, 1), 'file.json')


def test_missing_and_unknown_keys_are_one_error():
    data = changed(('license',))
    data['licence'] = 'MIT'
    with pytest.raises(CardError, match="missing key 'license'; unknown key 'licence'"):
        parse_card(data, 'file.json')


@pytest.mark.parametrize('path, value', [
    (('name',), ''), (('name',), None), (('version',), 1.0), (('license',), ['MIT']),
    (('schema',), 0), (('schema',), 1.0), (('schema',), True), (('task',), 'hands'),
    (('decoder',), None), (('decoder', 'type'), 3), (('decoder', 'outputs'), []),
    (('decoder', 'settings'), None), (('selection',), []), (('provenance',), 'me'),
    (('input',), [1]),
    (('topology',), 'coco_19'), (('topology',), {'name': 'x'}), (('topology',), 5),
    (('input', 'height'), 0), (('input', 'height'), 128.0), (('input', 'height'), '128'),
    (('input', 'width'), 8193), (('input', 'width'), True), (('input', 'color'), 'BGR'),
    (('input', 'color'), None), (('input', 'scale'), 0.0), (('input', 'scale'), float('nan')),
    (('input', 'scale'), float('inf')), (('input', 'fit'), 'pad'), (('input', 'align'), 'left'),
    (('input', 'padding'), 1.25),
    (('input', 'interpolation'), 'nearest'), (('input', 'pad_value'), 256),
    (('input', 'pad_value'), -1), (('input', 'pad_value'), 0.5), (('input', 'mean'), 0.5),
    (('input', 'mean'), [1, 2]), (('input', 'mean'), [1, 2, '3']),
    (('input', 'mean'), [1, 2, True]), (('input', 'mean'), [float('nan')] * 3),
    (('input', 'std'), [1, 1, 0]),
    (('input', 'std'), [1, 1, -1]), (('input', 'std'), [1, 1, 1, 1]), (('input', 'std'), None)])
def test_each_bad_value_is_named(path, value):
    with pytest.raises(CardError) as error:
        parse_card(changed(path, value), 'file.json')
    assert str(error.value).startswith('file.json') and path[-1] in str(error.value)


@pytest.mark.parametrize('key, value', [
    ('keypoint_names', ['a', 'a']), ('keypoint_names', [1, 2]), ('keypoint_names', 'ab'),
    ('limbs', [[0, 5]]), ('limbs', [[0, 1, 2]]), ('limbs', 3), ('mirror', [1, 1]),
    ('mirror', 'ab'), ('extra', 1)])
def test_each_bad_topology_value_is_named(key, value):
    own = {'name': 'pair', 'keypoint_names': ['a', 'b'], 'limbs': [[0, 1]]}
    with pytest.raises(CardError) as error:
        parse_card(changed(('topology',), dict(own, **{key: value})), 'file.json')
    assert str(error.value).startswith('file.json') and key.rstrip('s') in str(error.value)


@pytest.mark.parametrize('text', ['', '{', 'null', '[]', '"card"', b'\xff\xfe', '{"name": }'])
def test_not_json_or_not_an_object(text):
    with pytest.raises(CardError, match='^file.json: '):
        parse_card(text, 'file.json')


def test_another_input_size():
    card = with_input_size(models.tiny_card(), (320, 256))
    assert (card.input.width, card.input.height) == (320, 256)
    assert card.input._replace(width=160, height=128) == models.tiny_card().input


@pytest.mark.parametrize('size', [(0, 128), (160, 9000), (160.5, 128), ('a', 'b'), (160,), 160])
def test_invalid_input_sizes_are_refused(size):
    with pytest.raises(CardError, match='input size'):
        with_input_size(models.tiny_card(), size)


# The class of the decoder reads its block.

@pytest.mark.parametrize('path', [
    ('stride',), ('heatmaps',), ('pafs',), ('heatmaps', 'tensor'), ('heatmaps', 'channels'),
    ('heatmaps', 'background'), ('pafs', 'tensor'), ('pafs', 'limbs'), ('pafs', 'axis_order')])
def test_each_missing_output_key_is_named(path):
    card = parse_card(changed(('decoder', 'outputs') + path), 'x')
    with pytest.raises(CardError, match="'tiny', outputs.*missing key '{}'".format(path[-1])):
        create_decoder(card)


@pytest.mark.parametrize('path, value', [
    (('extra',), 1), (('heatmaps', 'extra'), 1), (('pafs', 'extra'), 1),
    (('stride',), 0), (('stride',), 8.0), (('stride',), None), (('heatmaps', 'tensor'), 3),
    (('heatmaps', 'channels'), list(range(17))), (('heatmaps', 'channels'), 18),
    (('heatmaps', 'channels'), [-1] + list(range(17))), (('heatmaps', 'channels'), [0.0] * 18),
    (('heatmaps', 'background'), -1), (('heatmaps', 'background'), '18'),
    (('pafs', 'tensor'), None), (('pafs', 'limbs'), []), (('pafs', 'limbs'), [[0, 1]]),
    (('pafs', 'limbs'), [[0, 18, 19]]),
    (('pafs', 'limbs'), [[0, 1, -19]]), (('pafs', 'limbs'), None), (('pafs', 'axis_order'), 'zy'),
    (('pafs', 'axis_order'), None)])
def test_each_bad_output_value_is_named(path, value):
    card = parse_card(changed(('decoder', 'outputs') + path, value), 'x')
    with pytest.raises(CardError, match="'tiny'.*'{}'".format(path[-1])):
        create_decoder(card)


@pytest.mark.parametrize('key, value', [
    ('peak_treshold', 0.1), ('peak_threshold', 1.5), ('peak_threshold', '0.1'),
    ('limb_samples', 1), ('limb_samples', 10.0), ('max_people', 3)])
def test_each_bad_decoder_setting_is_named(key, value):
    card = parse_card(changed(('decoder', 'settings'), {key: value}), 'x')
    with pytest.raises(CardError, match="'tiny'.*" + key):
        create_decoder(card)


def test_decoder_settings_of_the_card_are_taken():
    given = {'peak_threshold': 0.25, 'limb_samples': 12}
    card = parse_card(changed(('decoder', 'settings'), given), 'x')
    settings = create_decoder(card).settings
    assert (settings['peak_threshold'], settings['limb_samples']) == (0.25, 12)
    assert settings['blur_sigma'] == 1.0  # the rest keeps its default


def test_unknown_decoder_type_lists_the_known_ones():
    with pytest.raises(CardError, match="'tiny': unknown decoder type 'magic'; known: .*paf"):
        create_decoder(parse_card(changed(('decoder', 'type'), 'magic'), 'x'))


def test_a_newer_schema_is_refused_by_its_number():
    data = dict(GOOD, schema=2, temperature='hot')
    with pytest.raises(CardError, match='file.json: the card has schema 2.*up to 1: update'):
        parse_card(data, 'file.json')


def test_a_detector_has_no_topology():
    card = parse_card(dict(GOOD, task='detection', topology=None), 'x')
    assert card.topology is None and parse_card(card.to_json(), 'x') == card
    with pytest.raises(CardError, match='the topology of a detector must be null'):
        parse_card(dict(GOOD, task='detection'), 'x')
    with pytest.raises(CardError, match='topology'):
        parse_card(dict(GOOD, topology=None), 'x')


def test_a_crop_has_a_padding():
    data = changed(('input', 'fit'), 'crop')
    assert parse_card(data, 'x').input.padding == 1.25
    data['input']['padding'] = 1.5
    card = parse_card(data, 'x')
    assert card.input.padding == 1.5 and parse_card(card.to_json(), 'x') == card
    assert with_input_size(card, (96, 128)).input.padding == 1.5


def test_selection_is_optional_and_kept():
    assert parse_card(GOOD, 'x').selection == {}
    card = parse_card(dict(GOOD, selection={'min_score': 0.4}), 'x')
    assert card.selection == {'min_score': 0.4} and parse_card(card.to_json(), 'x') == card
