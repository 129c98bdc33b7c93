# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files are written whole or not at all, and nothing planted is followed."""
import os
import stat

import cv2
from disk import full_disk
import numpy as np
import pytest

from pose_ros.core.engines.engine_cache import EngineCache
from pose_ros.core.errors import OutputError
from pose_ros.core.files import atomic_file, atomic_write, file_id, natural_key
from pose_ros.core.image_file import write_image
from pose_ros.core.sources import open_source

FRAMES = ['frame_{}.jpg'.format(number) for number in range(1, 13)]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_planted_names_of_temporary_files_are_not_followed(tmp_path):
    """A user of the folder who guesses the process id gets nothing."""
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    for planted in ('r.json.{}.tmp'.format(os.getpid()), 'r.json.tmp', '.r.json.tmp'):
        (tmp_path / planted).symlink_to(victim)
    with atomic_write(str(tmp_path / 'r.json')) as stream:
        stream.write(b'new')
    assert victim.read_text() == 'precious' and (tmp_path / 'r.json').read_text() == 'new'


def test_the_temporary_file_is_new_and_its_name_is_random(tmp_path, monkeypatch):
    seen, plain = [], os.open

    def spy(path, flags, *mode, **options):
        seen.append((path, flags))
        return plain(path, flags, *mode, **options)
    monkeypatch.setattr(os, 'open', spy)
    for _ in range(3):
        with atomic_write(str(tmp_path / 'r.json')) as stream:
            stream.write(b'new')
    assert len({path for path, _ in seen}) == 3
    assert all(flags & os.O_EXCL and os.path.dirname(path) == str(tmp_path)
               for path, flags in seen)


def test_a_link_that_no_user_chose_is_replaced(tmp_path):
    """A folder of a cache may be shared: its names lead nowhere else."""
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    cache = tmp_path / 'cache'
    cache.mkdir(mode=0o700)
    for ending in ('.engine', '.engine.json'):
        (cache / ('key' + ending)).symlink_to(victim)
    EngineCache(str(cache)).store('key', b'plan', {})
    assert victim.read_text() == 'precious' and (cache / 'key.engine').read_bytes() == b'plan'


def test_the_mode_of_an_earlier_file_is_kept(tmp_path):
    path = tmp_path / 'r.json'
    path.write_text('earlier')
    path.chmod(0o640)
    with atomic_write(str(path)) as stream:
        stream.write(b'new')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize('size', [3000, 300000])
def test_a_full_disk_leaves_the_earlier_file(tmp_path, size):
    """Also if the last write of a short file fails, when it is closed."""
    path = tmp_path / 'r.json'
    path.write_text('earlier')
    with pytest.raises(OSError) as caught, full_disk(2000):
        with atomic_write(str(path)) as stream:
            stream.write(b'x' * size)
    assert caught.value.filename == str(path) and caught.value.strerror == 'File too large'
    assert path.read_text() == 'earlier' and names(tmp_path) == ['r.json']


def test_an_image_is_written_whole_or_not_at_all(tmp_path):
    image = np.random.RandomState(0).randint(0, 256, (50, 60, 3)).astype(np.uint8)
    path = tmp_path / 'a.png'
    with pytest.raises(OutputError, match='cannot write .*a.png: File too large'), full_disk(999):
        write_image(str(path), image)
    assert names(tmp_path) == []
    write_image(str(path), image)
    np.testing.assert_array_equal(cv2.imread(str(path)), image)


@pytest.mark.parametrize('make, reason', [
    (lambda path: path.mkdir(), 'not a file, but a folder'),
    (lambda path: (path.write_text('x'), path.chmod(0o444)), 'the file is read-only'),
    (lambda path: os.mkfifo(str(path)), 'not a file')])
def test_a_target_that_cannot_be_replaced_is_named_with_the_reason(tmp_path, make, reason):
    path = tmp_path / 'target'
    make(path)
    with pytest.raises(OSError) as caught:
        with atomic_write(str(path)):
            pytest.fail('it was opened')
    assert reason in caught.value.strerror and caught.value.filename == str(path)


def test_a_file_by_its_path_has_the_given_ending(tmp_path):
    with atomic_file(str(tmp_path / 'v.avi'), '.avi') as part:
        assert part.endswith('.avi') and os.path.getsize(part) == 0
        with open(part, 'wb') as stream:
            stream.write(b'video')
    assert (tmp_path / 'v.avi').read_bytes() == b'video' and names(tmp_path) == ['v.avi']


def test_one_file_has_one_identity(tmp_path):
    real, hard, soft = (tmp_path / name for name in ('real', 'hard', 'soft'))
    folder = tmp_path / 'folder'
    folder.mkdir()
    (tmp_path / 'alias').symlink_to(folder)
    real.write_text('x')
    os.link(str(real), str(hard))
    soft.symlink_to(real)
    assert file_id(str(real)) == file_id(str(hard)) == file_id(str(soft))
    assert file_id(str(folder / 'new')) == file_id(str(tmp_path / 'alias' / '..' / 'folder/new'))
    assert file_id(str(folder / 'new')) == file_id(str(tmp_path / 'alias' / 'new'))
    assert file_id(str(folder / 'new')) != file_id(str(tmp_path / 'new'))


def test_names_are_sorted_by_their_numbers():
    assert sorted(sorted(FRAMES), key=natural_key) == FRAMES
    mixed = ['', '01', '1', '1a', '2', 'a', 'a1b', 'a2b10', 'a10b2', 'b']
    assert sorted(reversed(mixed), key=natural_key) == mixed


def test_a_folder_is_read_in_natural_order(tmp_path):
    for name in FRAMES:
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    assert [frame.name for frame in open_source(str(tmp_path))] == FRAMES


def test_the_shared_list_of_frames_is_in_natural_order(shared):
    path = shared / 'faults' / 'frames.txt'
    if not path.is_file():
        pytest.skip('no test data at {}'.format(path))
    listed = path.read_text().split()
    assert sorted(sorted(listed), key=natural_key) == listed
