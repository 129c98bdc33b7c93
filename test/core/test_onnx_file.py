# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The small ONNX reader and writer against the onnx package's own."""
import models
import pytest

from pose_ros.core.errors import ModelError
from pose_ros.core.onnx_file import read_metadata, with_metadata


@pytest.fixture
def onnx():
    return pytest.importorskip('onnx')


def content_of(path):
    with open(str(path), 'rb') as stream:
        return stream.read()


def own_reading(onnx, path):
    return {item.key: item.value for item in onnx.load(str(path)).metadata_props}


def test_reads_what_onnx_reads(onnx, tiny_model):
    found = read_metadata(tiny_model)
    assert found == own_reading(onnx, tiny_model)
    assert list(found) == ['pose_ros.card'] and len(found['pose_ros.card']) > 500


def test_no_metadata(onnx, make_model):
    assert read_metadata(make_model(card=None)) == {}


def test_odd_keys_and_values(onnx, make_model, tmp_path):
    path = make_model(card=None)
    model = onnx.load(path)
    properties = {'ключ': 'значение', 'empty': '', '': 'no key', 'long': 'x' * 70000,
                  'newline': 'a\nb\0c', 'short': 'y' * 127, 'longer': 'y' * 128}
    onnx.helper.set_model_props(model, properties)
    onnx.save(model, path)
    assert read_metadata(path) == properties


@pytest.mark.parametrize('value', ['', 'a', 'x' * 127, 'x' * 128, 'ü' * 9000, '{"a": [1, 2]}'])
def test_appended_property_is_read_by_all(onnx, tiny_model, tmp_path, value):
    runtime = pytest.importorskip('onnxruntime')
    path = tmp_path / 'more.onnx'
    path.write_bytes(with_metadata(content_of(tiny_model), 'note', value))
    expected = dict(read_metadata(tiny_model), note=value)
    assert read_metadata(str(path)) == expected
    assert own_reading(onnx, path) == expected
    onnx.checker.check_model(onnx.load(str(path)))
    session = runtime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert session.get_modelmeta().custom_metadata_map == expected


def test_a_later_entry_of_a_key_wins_everywhere(onnx, tiny_model, tmp_path):
    runtime = pytest.importorskip('onnxruntime')
    path = tmp_path / 'twice.onnx'
    path.write_bytes(with_metadata(content_of(tiny_model), 'pose_ros.card', 'second'))
    assert read_metadata(str(path)) == {'pose_ros.card': 'second'}
    session = runtime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert session.get_modelmeta().custom_metadata_map == {'pose_ros.card': 'second'}


def test_network_is_unchanged_by_a_property(onnx, tiny_model):
    before = content_of(tiny_model)
    after = onnx.load_model_from_string(with_metadata(before, 'note', 'a'))
    assert after.graph == onnx.load_model_from_string(before).graph


def test_every_cut_file_is_refused_or_has_a_complete_graph(onnx, make_model, tmp_path):
    """A file may end between two fields and still be whole; anywhere else it must be refused."""
    content = content_of(make_model(maps=models.draw_maps([], 16, 16)))
    path = tmp_path / 'cut.onnx'
    accepted = []
    end = len(content)
    for length in sorted(set(range(40)) | set(range(0, end, 97)) | set(range(end - 40, end))):
        path.write_bytes(content[:length])
        try:
            read_metadata(str(path))
        except ModelError as error:
            assert 'cut.onnx' in str(error)
        else:
            accepted.append(length)
    whole = onnx.load_model_from_string(content).graph
    for length in accepted:
        assert onnx.load_model_from_string(content[:length]).graph == whole
    assert len(accepted) < 4


@pytest.mark.parametrize('content', [
    b'', b'\x08', b'\x08\x08', b'text file\n', b'\xff' * 40, b'\x00' * 40,
    b'\x08\x08\x3a\xff\xff\xff\xff\x0f', b'\x08\x08\x3b\x00',
    b'\x08\x08\x3a\x00\x29\x00', b'<?xml version="1.0"?>',
    b'\x1f\x8b\x08\x00', b'version https://git-lfs'])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / 'other.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelError, match='other.onnx'):
        read_metadata(str(path))


def test_undecodable_property_is_refused(onnx, tiny_model, tmp_path):
    path = tmp_path / 'odd.onnx'
    path.write_bytes(content_of(tiny_model) + b'\x72\x04\x0a\x02\xff\xfe')
    with pytest.raises(ModelError, match='odd.onnx'):
        read_metadata(str(path))


@pytest.mark.parametrize('length', [b'\xff' * 9 + b'\x01', b'\x80' * 9 + b'\x01', b'\x40'])
def test_a_property_that_is_longer_than_its_entry_is_refused(tiny_model, tmp_path, length):
    entry = b'\x0a' + length + b'key'  # among the lengths: 2^63 and 2^64 - 1
    path = tmp_path / 'odd.onnx'
    path.write_bytes(content_of(tiny_model) + b'\x72' + bytes([len(entry)]) + entry)
    with pytest.raises(ModelError, match='odd.onnx is not a complete ONNX file'):
        read_metadata(str(path))


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match='nowhere.onnx'):
        read_metadata(str(tmp_path / 'nowhere.onnx'))


def test_published_weights(onnx, real_model):
    assert read_metadata(real_model) == own_reading(onnx, real_model)
