# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The header of an ONNX file, and where its weights are, are checked before an engine sees it."""
import os
import shutil
import subprocess
import sys

import models
import numpy as np
import pytest

from pose_ros.core.engines import create_engine
from pose_ros.core.errors import ModelError
from pose_ros.core.files import sha256
from pose_ros.core.onnx_check import check_onnx, model_digest
from pose_ros.core.onnx_file import with_metadata

SHAPE = (1, 3, models.HEIGHT, models.WIDTH)
BATCH = np.full(SHAPE, 255, np.float32)

onnx = pytest.importorskip('onnx')


@pytest.fixture
def split(tiny_model, tmp_path):
    """Return a function that writes a network whose weights are in the file weights.bin."""
    def write(location=None):
        folder = tmp_path / 'model'
        folder.mkdir(exist_ok=True)
        path = folder / 'split.onnx'
        model = onnx.load(tiny_model)
        onnx.save(model, str(path), save_as_external_data=True, location='weights.bin',
                  size_threshold=0)
        if location is not None:
            model = onnx.load(str(path), load_external_data=False)
            for tensor in model.graph.initializer:
                for entry in tensor.external_data:
                    if entry.key == 'location':
                        entry.value = location
            path.write_bytes(model.SerializeToString())
        return str(path)
    return write


def changed(tiny_model, path, change):
    model = onnx.load(tiny_model)
    change(model)
    path.write_bytes(model.SerializeToString())
    return str(path)


def opset(number):
    def change(model):
        model.opset_import[0].version = number
    return change


def ir_version(number):
    def change(model):
        model.ir_version = number
    return change


@pytest.mark.parametrize('change, words', [
    (opset(2 ** 31), 'its opset is 2147483648'), (opset(0), 'its opset is 0'),
    (opset(-1), 'its opset is'), (opset(2 ** 63 - 1), 'its opset is'),
    (ir_version(2 ** 40), 'its IR version is')])
def test_versions_that_do_not_exist_are_refused(change, words, tiny_model, tmp_path):
    path = changed(tiny_model, tmp_path / 'odd.onnx', change)
    with pytest.raises(ModelError, match='odd.onnx: ' + words):
        check_onnx(path)


def test_no_engine_sees_such_a_file(tiny_model, tmp_path):
    """OpenVINO never returns from it, so another process with a time limit loads it."""
    path = changed(tiny_model, tmp_path / 'odd.onnx', opset(2 ** 31))
    code = ('import sys\nfrom pose_ros.core.network import open_network\n'
            'from pose_ros.core.errors import ModelError\n'
            'try: open_network(sys.argv[1])\n'
            'except ModelError as error: print(error)\n')
    found = subprocess.run([sys.executable, '-c', code, path], stdout=subprocess.PIPE,
                           timeout=120, cwd=str(models.ROOT))
    assert b'its opset is 2147483648' in found.stdout


def test_the_opset_of_a_function_is_checked_too(tiny_model, tmp_path):
    def change(model):
        function = onnx.helper.make_function('own', 'f', ['x'], ['y'], [
            onnx.helper.make_node('Identity', ['x'], ['y'])],
            [onnx.helper.make_opsetid('', 2 ** 31)])
        model.functions.append(function)
    with pytest.raises(ModelError, match='opset'):
        check_onnx(changed(tiny_model, tmp_path / 'odd.onnx', change))


def test_damaged_files_are_refused(tiny_model, tmp_path):
    with open(tiny_model, 'rb') as stream:
        content = stream.read()
    path = tmp_path / 'odd.onnx'
    for damaged in (b'', content[:-5], content[:len(content) // 2], b'\x3a\x02\x0a\x7f',
                    b'\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', b'\x08'):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match='odd.onnx is not a complete ONNX file'):
            check_onnx(str(path))
    # Nothing is gained by many small fields.
    path.write_bytes(b'\x08\x01' * 2100000)
    with pytest.raises(ModelError, match='more than 2000000 fields'):
        check_onnx(str(path))


def test_graphs_within_graphs_are_limited(tmp_path):
    content = b''
    for _ in range(100):  # graph of an attribute of a node of a graph
        for tag in (b'\x32', b'\x2a', b'\x0a'):
            content = with_length(tag, content)
    (tmp_path / 'deep.onnx').write_bytes(with_length(b'\x3a', content))
    with pytest.raises(ModelError, match='nested too deep'):
        check_onnx(str(tmp_path / 'deep.onnx'))


def with_length(tag, content):
    length, varint = len(content), b''
    while length >= 0x80:
        varint += bytes([length & 0x7f | 0x80])
        length >>= 7
    return tag + varint + bytes([length]) + content


def test_external_data_beside_the_model_is_used(split, tiny_model, backend, tmp_path,
                                                monkeypatch):
    path = split()
    data = os.path.join(os.path.dirname(path), 'weights.bin')
    assert check_onnx(path) == [data]
    monkeypatch.chdir(tmp_path)  # not the folder of the model
    expected = create_engine(tiny_model, SHAPE, backend)
    engine = create_engine(path, SHAPE, backend)
    for name, array in expected.infer(BATCH).items():
        assert np.array_equal(engine.infer(BATCH)[name], array)
    engine.close()
    expected.close()


def test_external_data_is_part_of_the_identity_of_a_model(split, tiny_model):
    path = split()
    first = model_digest(path)
    with open(os.path.join(os.path.dirname(path), 'weights.bin'), 'r+b') as stream:
        stream.write(b'other')
    assert model_digest(path) != first
    assert model_digest(tiny_model) == sha256(tiny_model)


@pytest.mark.parametrize('location', ['/etc/passwd', '../foreign.bin', 'sub/../../foreign.bin',
                                      '..\\foreign.bin', 'missing.bin', '', '.', 'link.bin',
                                      '*/_ORT_MEM_ADDR_/*', 'pipe'])
def test_external_data_elsewhere_is_refused(split, location, backend, tmp_path, monkeypatch):
    path = split(location)
    folder = os.path.dirname(path)
    shutil.move(os.path.join(folder, 'weights.bin'), str(tmp_path / 'foreign.bin'))
    os.symlink(str(tmp_path / 'foreign.bin'), os.path.join(folder, 'link.bin'))
    os.mkfifo(os.path.join(folder, 'pipe'))
    # A file of that name in the current folder was used once.
    other = tmp_path / 'current'
    other.mkdir()
    shutil.copy(str(tmp_path / 'foreign.bin'), str(other / 'missing.bin'))
    monkeypatch.chdir(other)
    with pytest.raises(ModelError, match='must be in the folder of the model'):
        create_engine(path, SHAPE, backend)


def test_external_data_that_is_too_short_is_refused(split):
    path = split()
    with open(os.path.join(os.path.dirname(path), 'weights.bin'), 'r+b') as stream:
        stream.truncate(10)
    with pytest.raises(ModelError, match='too short'):
        check_onnx(path)


def test_a_link_to_a_model_finds_its_data_beside_the_file(split, tmp_path):
    path = split()
    (tmp_path / 'links').mkdir()
    for name in ('split.onnx', 'weights.bin'):
        os.symlink(os.path.join(os.path.dirname(path), name), str(tmp_path / 'links' / name))
    assert check_onnx(str(tmp_path / 'links' / 'split.onnx'))


def test_messages_of_a_runtime_need_not_be_utf8(tiny_model, tmp_path, backend):
    with open(tiny_model, 'rb') as stream:
        content = stream.read()
    node = onnx.load(tiny_model).graph.node[0].op_type.encode()
    at = content.index(node)
    path = tmp_path / 'odd.onnx'
    path.write_bytes(content[:at] + b'\xff' * len(node) + content[at + len(node):])
    with pytest.raises(ModelError, match='odd.onnx') as error:
        create_engine(str(path), SHAPE, backend)
    assert str(error.value).isprintable()


def test_metadata_that_is_not_utf8_is_an_error_of_the_file(tiny_model, tmp_path):
    from pose_ros.core.onnx_file import read_metadata
    with open(tiny_model, 'rb') as stream:
        content = stream.read()
    path = tmp_path / 'odd.onnx'
    path.write_bytes(with_metadata(content, 'key', 'value').replace(b'value', b'\xff\xfelue'))
    with pytest.raises(ModelError, match='odd.onnx'):
        read_metadata(str(path))
