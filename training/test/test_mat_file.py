# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MATLAB files are checked before objects are built of them."""
import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from pose_training import mat_file
from pose_training.errors import DataError
from pose_training.mat_file import fields, items, read_mat


def element(kind, data):
    """Return an element of a file: tag, data, padding."""
    return struct.pack('<II', kind, len(data)) + data + bytes(-len(data) % 8)


def array(cls, sides, content, name=b''):
    """Return an array of a class with these sides, and any content."""
    return element(14, element(6, struct.pack('<II', cls, 0)) + element(
        5, struct.pack('<{}i'.format(len(sides)), *sides)) + element(1, name) + content)


def written(path, *arrays, compressed=False):
    """Write a file of arrays."""
    arrays = [struct.pack('<II', 15, len(packed)) + packed for packed in map(
        zlib.compress, arrays)] if compressed else arrays
    path.write_bytes(b'MATLAB 5.0 MAT-file'.ljust(124) + b'\x00\x01IM' + b''.join(arrays))
    return str(path)


def fault(path, *names):
    """Return the error of a file."""
    with pytest.raises(DataError) as error:
        read_mat(path, *names)
    return str(error.value)


@pytest.mark.parametrize('compressed', [False, True])
def test_structs_cells_numbers_and_text(tmp_path, compressed):
    path = str(tmp_path / 'a.mat')
    cells = np.empty((1, 3), object)
    cells[0] = [np.arange(6.).reshape(2, 3), 'text', {'inner': 5}]
    savemat(path, {'data': {'cells': cells, 'one': 7}, 'other': np.eye(2)},
            do_compression=compressed)
    found = read_mat(path, 'data')
    assert set(found) == {'data'} and fields(found['data']) == ('cells', 'one')
    numbers, text, inner = items(found['data'].cells)
    assert numbers.shape == (2, 3) and text == 'text' and inner.inner == 5
    assert items(found['data'].one) == [7] and items(np.zeros((0, 0))) == []
    assert read_mat(path, 'absent') == {} and fields(7) == ()


def test_real_files(shared):
    formats = shared / 'data' / 'formats'
    found = read_mat(str(formats / 'mpii_valid' / 'bearpaw-hg_s8_b1.mat'), 'preds')
    assert found['preds'].shape == (2958, 16, 2)
    dataset = read_mat(str(formats / 'deepercut' / 'dataset_example.mat'), 'dataset')['dataset']
    assert [np.ndim(entry.joints) for entry in items(dataset)] == [2, 2]


def test_claims_without_data_are_refused(tmp_path):
    path = tmp_path / 'a.mat'
    double = array(6, (1 << 20, 1 << 20), element(9, bytes(8)), b'x')
    assert 'claims 1099511627776 values, but has 8 bytes' in fault(written(path, double), 'x')
    cell = array(1, (1 << 30, 2), b'', b'x')
    assert 'claims 2147483648 elements, but has 0 bytes' in fault(written(path, cell), 'x')
    names = element(5, struct.pack('<i', 32)) + element(1, b'')
    assert '1073741824 structs without fields' in fault(written(path, array(
        2, (1 << 30, 1), names, b'x')), 'x')
    assert 'invalid sizes' in fault(written(path, array(6, (-1, 2), b'', b'x')), 'x')
    for cls, what in ((5, 'a sparse matrix'), (16, 'a function'), (17, 'an object')):
        assert what in fault(written(path, array(cls, (1, 1), b'', b'x')), 'x')


def test_cells_within_cells_and_bombs_are_refused(tmp_path, monkeypatch):
    path = tmp_path / 'a.mat'
    nested = array(6, (1, 1), element(9, bytes(8)))
    for _ in range(30):
        nested = array(1, (1, 1), nested)
    outer = array(1, (1, 1), nested, b'x')
    assert 'more than 24 within each other' in fault(written(path, outer), 'x')
    assert read_mat(written(path, outer), 'y') == {}
    monkeypatch.setattr(mat_file, 'LARGEST_UNPACKED', 1 << 20)
    bomb = array(6, (1, 1 << 18), element(9, bytes(8 << 18)), b'x')
    assert len(zlib.compress(bomb)) < 1 << 13
    assert 'more than 1 MB of data' in fault(written(path, bomb, compressed=True), 'x')
    monkeypatch.setattr(mat_file, 'MOST_ARRAYS', 10)
    many = array(1, (1, 20), array(6, (1, 1), element(9, bytes(8))) * 20, b'x')
    assert 'more than 10 arrays' in fault(written(path, many), 'x')


def test_every_cut_of_a_file_and_other_versions_are_errors(tmp_path):
    path = tmp_path / 'a.mat'
    savemat(str(path), {'data': {'a': np.arange(4.), 'b': 'text'}})
    content = path.read_bytes()
    for end in range(0, len(content) - 8, 24):
        path.write_bytes(content[:end])
        try:
            assert 'data' not in read_mat(str(path), 'data')  # cut before it
        except DataError:
            pass
    path.write_bytes(b'MATLAB 7.3 MAT-file'.ljust(512) + b'\x89HDF\r\n\x1a\n')
    assert 'save it in MATLAB with the option -v7' in fault(str(path), 'data')
    path.write_bytes(b'text' * 100)
    assert 'no header of a MATLAB file of version 5' in fault(str(path), 'data')
    assert 'cannot read' in fault(str(tmp_path / 'absent.mat'), 'data')
