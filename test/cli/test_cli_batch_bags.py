# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch` with bags: files, folders, and damaged ones."""
import pytest

pytest.importorskip('rosbags', reason='rosbags needs Python 3.10 or newer')
pytest.importorskip('mcap')
import bag_files as bags


def test_bags_have_the_results_of_pose_ros_bag(pose_ros, tiny_model, tmp_path):
    network = ('--model', tiny_model, '--backend', 'onnxruntime')
    archive, out = tmp_path / 'archive', tmp_path / 'out'
    archive.mkdir()
    bags.write_bag(archive / 'walk', bags.walk() + bags.walk(topic='/back/image_raw', offset=9))
    single = bags.write_bag(tmp_path / 'single', bags.walk(4), 'sqlite3')
    single.rename(archive / 'single.db3')
    cut = bags.write_bag(tmp_path / 'cut', bags.walk(9))
    (archive / 'cut.mcap').write_bytes(cut.read_bytes()[:-900])
    answer = pose_ros('batch', archive, '-o', out, '--workers', '2', *network)
    assert answer.code == 1 and '2 inputs done, 1 failed; 16 frames, 26 people' in answer.out
    assert 'cut.mcap' in answer.err and '`pose-ros bag` writes what can be read' in answer.err
    assert sorted(path.name for path in out.iterdir()) == [
        'batch.json', 'single.db3.json', 'walk.json']
    for name in ('walk', 'single.db3'):
        path = tmp_path / 'people.json'
        assert pose_ros('bag', archive / name, '-o', tmp_path / (name + '.mcap'), '--json', path,
                        *network).code == 0
        assert (out / (name + '.json')).read_bytes() == path.read_bytes()
