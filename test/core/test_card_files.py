# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a card is found, and which one is used."""
import hashlib
import json
import os
import shutil

import models
import pytest

from pose_ros.core import card_files, PoseEstimator
from pose_ros.core.card import parse_card
from pose_ros.core.card_files import load_card, read_engine_facts
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError, ModelError
from pose_ros.core.onnx_file import with_metadata


def named(name):
    return json.dumps(models.card_data(name=name))


@pytest.fixture
def bare(make_model):
    """Path of a network without a card."""
    return make_model('bare.onnx', card=None)


def test_card_inside_the_file(tiny_model):
    assert load_card(tiny_model) == models.tiny_card()


def test_card_beside_the_file(bare):
    with open(bare + '.json', 'w') as stream:
        stream.write(named('beside'))
    assert load_card(bare).name == 'beside'


def test_card_beside_a_file_that_is_not_onnx(tmp_path):
    path = tmp_path / 'net.engine'
    path.write_bytes(b'a plan of another runtime')
    (tmp_path / 'net.engine.json').write_text(named('plan'))
    assert load_card(str(path)).name == 'plan'


@pytest.mark.parametrize('facts', [None, [], 'fp16', 3])
def test_engine_facts_that_are_no_object_are_refused(tmp_path, facts):
    path = tmp_path / 'net.engine'
    card = models.card_data(provenance={'engine': facts})
    (tmp_path / 'net.engine.json').write_text(json.dumps(card))
    with pytest.raises(CardError, match="net.engine.json: 'engine' in the provenance must be an"):
        read_engine_facts(str(path))


def test_precedence(make_model, tmp_path):
    path = make_model(card=models.card_data(name='inside'))
    (tmp_path / 'variant.onnx.json').write_text(named('beside'))
    given = tmp_path / 'given.json'
    given.write_text(named('given'))
    assert load_card(path).name == 'inside'
    assert load_card(path, str(given)).name == 'given'
    assert load_card(path, models.card_data(name='dict')).name == 'dict'
    assert load_card(path, models.tiny_card(name='card')).name == 'card'


def test_a_given_card_replaces_an_invalid_one_inside(make_model, tmp_path):
    path = make_model(card='{}')
    with pytest.raises(CardError, match=r'variant\.onnx \(metadata pose_ros\.card\): missing key'):
        load_card(path)
    given = tmp_path / 'given.json'
    given.write_text(named('given'))
    assert load_card(path, str(given)).name == 'given'


def test_a_bad_card_inside_is_not_replaced_by_one_beside(make_model, tmp_path):
    path = make_model(card='{}')
    (tmp_path / 'variant.onnx.json').write_text(named('beside'))
    with pytest.raises(CardError, match='metadata'):
        load_card(path)


@pytest.mark.parametrize('content, word', [
    (b'{', 'not JSON'), (b'\xff\xfe\x00', 'not JSON'), (b'[]', 'expected an object')])
def test_a_bad_card_file_is_named(bare, content, word):
    with open(bare + '.json', 'wb') as stream:
        stream.write(content)
    with pytest.raises(CardError) as error:
        load_card(bare)
    assert bare + '.json' in str(error.value) and word in str(error.value)


def test_a_missing_given_card_is_named(tiny_model, tmp_path):
    with pytest.raises(CardError, match='nowhere.json'):
        load_card(tiny_model, str(tmp_path / 'nowhere.json'))


def test_card_by_hash(bare, tmp_path, monkeypatch):
    with open(bare, 'rb') as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    folder = tmp_path / 'known'
    folder.mkdir()
    for name, value in (('a', '0' * 64), ('b', digest)):
        (folder / (name + '.json')).write_text(json.dumps(
            models.card_data(name=name, provenance={'model_sha256': value})))
    monkeypatch.setattr(card_files, 'MODELS_FOLDER', str(folder))
    assert load_card(bare).name == 'b'
    with open(bare, 'ab') as stream:  # one more property: another file now
        stream.write(with_metadata(b'', 'note', 'edited'))
    with pytest.raises(CardError, match='no model card'):
        load_card(bare)


def test_published_weights_are_known(real_model):
    card = load_card(real_model)
    assert (card.name, card.topology.name, card.input.fit) == (
        'mobilenet_v2_small', 'coco_18', 'stretch')


def test_every_bundled_card_is_valid():
    names = [name for name in os.listdir(card_files.MODELS_FOLDER) if name.endswith('.json')]
    assert 'mobilenet_v2_small.json' in names
    for name in names:
        with open(os.path.join(card_files.MODELS_FOLDER, name)) as stream:
            card = parse_card(stream.read(), name)
        create_decoder(card)
        digest = card.provenance['model_sha256']
        assert len(digest) == 64 and int(digest, 16)


def test_the_error_without_a_card_lists_the_places(bare):
    with pytest.raises(CardError) as error:
        load_card(bare)
    for place in ('metadata (pose_ros.card)', 'bare.onnx.json', 'docs/models.md'):
        assert place in str(error.value)


def test_missing_model(tmp_path):
    with pytest.raises(ModelError, match='nowhere.onnx'):
        load_card(str(tmp_path / 'nowhere.onnx'))
    with pytest.raises(ModelError, match='no model file'):
        load_card(str(tmp_path))  # a folder


@pytest.mark.parametrize('content', [b'', b'not a network at all', b'\x00' * 64, b'PK\x03\x04zip'])
def test_not_onnx(tmp_path, content):
    path = tmp_path / 'odd.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelError, match='odd.onnx'):
        load_card(str(path))


def test_truncated(tiny_model, tmp_path):
    path = tmp_path / 'half.onnx'
    with open(tiny_model, 'rb') as stream:
        content = stream.read()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(ModelError, match='half.onnx is not a complete ONNX file'):
        load_card(str(path))


@pytest.mark.parametrize('name', ['MODEL.ONNX', 'model', 'model.bin', '3f2a9c'])
def test_the_card_is_found_in_a_file_of_any_name(tiny_model, tmp_path, backend, name):
    path = str(tmp_path / name)
    shutil.copy(tiny_model, path)
    assert load_card(path) == models.tiny_card()
    assert PoseEstimator(path, backend)(models.image()).count == 2


def test_a_damaged_file_with_its_ending_in_capitals_is_no_model_without_a_card(tmp_path):
    path = tmp_path / 'MODEL.ONNX'
    path.write_bytes(b'\x00not onnx')
    with pytest.raises(ModelError, match='MODEL.ONNX is not a complete ONNX file'):
        load_card(str(path))


@pytest.mark.parametrize('name', ['model', 'weights.bin'])
def test_a_file_that_is_no_onnx_model_is_told_so(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'\x00not onnx')
    with pytest.raises(CardError, match='not in its metadata .it is no ONNX file.'):
        load_card(str(path))
