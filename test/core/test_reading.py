# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Only regular files of a sane size are read, and reading takes as much memory as they have."""
import os
import socket
import tracemalloc

import pytest

from pose_ros.core.files import sha256
from pose_ros.core.reading import check_regular, GIB, open_regular, read_file


def test_a_file_is_read_with_the_memory_of_its_size(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'x' * 1000)
    tracemalloc.start()
    assert read_file(str(path), 256 * GIB) == b'x' * 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert read_file(str(path), 1000) == b'x' * 1000
    assert len(read_file('/proc/self/status', 1 << 20)) > 100  # a file of 0 bytes by its facts


def test_links_to_files_are_followed(tmp_path):
    (tmp_path / 'file').write_bytes(b'content')
    os.symlink(str(tmp_path / 'file'), str(tmp_path / 'link'))
    assert read_file(str(tmp_path / 'link'), 10) == b'content'


@pytest.mark.parametrize('kind', ['a pipe', 'a folder', 'a device', 'a socket'])
@pytest.mark.parametrize('read', [
    lambda path: read_file(path, 10), lambda path: open_regular(path, 10),
    lambda path: check_regular(path, 10), sha256])
def test_other_things_than_files_are_refused_at_once(kind, read, tmp_path, monkeypatch):
    path = str(tmp_path / 'x')
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    if kind == 'a pipe':
        os.mkfifo(path)
    elif kind == 'a folder':
        os.mkdir(path)
    elif kind == 'a device':
        path = '/dev/zero'
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind('x')
        server.close()
    with pytest.raises(OSError) as error:
        read(path)
    if kind != 'a socket':  # it cannot be opened at all
        assert error.value.strerror == 'it is {}, not a regular file'.format(kind)
    assert error.value.filename == path


def test_large_files_are_refused_without_reading(tmp_path):
    path = str(tmp_path / 'large')
    with open(path, 'wb') as stream:
        stream.truncate(1 << 40)
    with pytest.raises(OSError, match='at most 1000') as error:
        read_file(path, 1000)
    assert error.value.filename == path


def test_a_path_with_a_nul_is_an_error_of_the_file():
    with pytest.raises(OSError, match='not a valid path'):
        read_file('a\0b', 10)


def test_no_descriptor_is_left_open(tmp_path):
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(5):
        with pytest.raises(OSError):
            read_file('/dev/zero', 10)
    assert len(os.listdir('/proc/self/fd')) == before
