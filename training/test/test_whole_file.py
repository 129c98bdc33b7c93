# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear when they are whole."""
import os

import pytest

from pose_training.whole_file import whole_file


def test_the_old_content_stays_until_the_new_is_whole(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'old')
    with whole_file(str(path)) as stream:
        stream.write(b'new')
        assert path.read_bytes() == b'old'
    assert path.read_bytes() == b'new'
    assert os.listdir(tmp_path) == ['file']


def test_after_an_error_nothing_has_changed(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'old')
    with pytest.raises(ValueError):
        with whole_file(str(path)) as stream:
            stream.write(b'half')
            raise ValueError
    assert path.read_bytes() == b'old' and os.listdir(tmp_path) == ['file']


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'real').write_bytes(b'old')
    os.symlink('real', tmp_path / 'link')
    with whole_file(str(tmp_path / 'link')) as stream:
        stream.write(b'new')
    assert os.path.islink(tmp_path / 'link')
    assert (tmp_path / 'real').read_bytes() == b'new'


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError):
        with whole_file(str(tmp_path / 'nowhere' / 'file')):
            pass
