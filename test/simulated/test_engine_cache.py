# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What waits in the cache is used if it fits, and built again once if it does not."""
import hashlib
import json
import logging
import os

import numpy as np
import pytest
from surface import RTX, VERSIONS
from test_tensorrt import BLUE, expected_maps, messages, open_engine

from pose_ros.core.engines.engine_cache import EngineCache, plan_key
from pose_ros.core.errors import EngineError


def cached_files():
    entry, = EngineCache().entries()
    return entry.path, entry.path + '.json'


def works(path):
    engine = open_engine(path)
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-3
    engine.close()


def truncate(plan, _):
    with open(plan, 'r+b') as stream:
        stream.truncate(os.path.getsize(plan) // 2)


def flip(plan, _):
    with open(plan, 'r+b') as stream:
        stream.seek(200)
        stream.write(b'?')


def empty_facts(_, facts):
    open(facts, 'w').close()


def no_facts(_, facts):
    os.remove(facts)


def foreign(plan, facts):
    """A plan that is whole, but TensorRT refuses: of another version, in the place of ours."""
    content = b'simulated plan of another version'
    with open(plan, 'wb') as stream:
        stream.write(content)
    with open(facts) as stream:
        data = json.load(stream)
    data['plan_sha256'] = hashlib.sha256(content).hexdigest()
    with open(facts, 'w') as stream:
        json.dump(data, stream)


@pytest.mark.parametrize('spoil', [truncate, flip, empty_facts, no_facts, foreign])
def test_what_is_spoilt_is_built_again_once(trt, tiny_model, caplog, spoil):
    works(tiny_model)
    spoil(*cached_files())
    works(tiny_model)
    assert trt._settings.built == 2
    assert any('cached engine' in text for text in messages(caplog))
    works(tiny_model)
    assert trt._settings.built == 2


def test_tensorrt_never_sees_a_damaged_plan(install_tensorrt, tiny_model, monkeypatch):
    """It may crash on one."""
    trt = install_tensorrt('10.3.0')
    works(tiny_model)
    flip(*cached_files())
    seen, deserialize = [], trt.Runtime.deserialize_cuda_engine
    monkeypatch.setattr(trt.Runtime, 'deserialize_cuda_engine',
                        lambda self, plan: seen.append(plan) or deserialize(self, plan))
    works(tiny_model)
    assert len(seen) == 1 and trt._settings.built == 2


def test_a_refused_plan_is_gone_though_the_build_fails(install_tensorrt, tiny_model):
    trt = install_tensorrt('10.3.0')
    works(tiny_model)
    foreign(*cached_files())
    trt._settings.build_fails = 'out of memory'
    with pytest.raises(EngineError, match='out of memory'):
        open_engine(tiny_model)
    assert EngineCache().entries() == []


def test_what_tensorrt_refuses_again_is_an_error(trt, tiny_model, monkeypatch):
    monkeypatch.setattr(trt.Runtime, 'deserialize_cuda_engine', lambda self, plan: None)
    with pytest.raises(EngineError, match='cannot load the engine.*pose-ros build-engine'):
        open_engine(tiny_model)
    assert trt._settings.built == 1


def test_each_of_version_gpu_model_shape_and_precision_has_its_own(
        install_tensorrt, machine, tiny_model, make_model):
    opened = 0
    for version in ('8.6.1', '10.3.0'):
        for name in ('GPU one', 'GPU two'):
            machine.name = name
            trt = install_tensorrt(version)
            for path, options in ((tiny_model, {}), (tiny_model, {'precision': 'fp32'}),
                                  (make_model(color='rgb'), {})):
                for _ in range(2):
                    open_engine(path, **options).close()
                opened += 1
            assert trt._settings.built == 3
    assert len(EngineCache().entries()) == opened == 12


def test_the_same_file_elsewhere_is_the_same_model(install_tensorrt, tiny_model, tmp_path):
    trt = install_tensorrt('10.3.0')
    open_engine(tiny_model).close()
    (tmp_path / 'tiny.onnx').write_bytes(open(tiny_model, 'rb').read())
    open_engine(str(tmp_path / 'tiny.onnx')).close()
    assert trt._settings.built == 1


def test_a_folder_that_cannot_be_written(trt, tiny_model, tmp_path, monkeypatch, caplog):
    (tmp_path / 'file').write_text('no folder')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    for built in (1, 2):
        works(tiny_model)
        assert trt._settings.built == built
    assert any('cannot be written to' in text and 'XDG_CACHE_HOME' in text
               for text in messages(caplog))


def test_timings_are_learnt_once_and_used(install_tensorrt, machine, tiny_model, monkeypatch):
    trt = install_tensorrt('10.3.0')
    seen = []
    create = trt._kinds['IBuilderConfig'].create_timing_cache
    monkeypatch.setattr(trt._kinds['IBuilderConfig'], 'create_timing_cache',
                        lambda self, data: seen.append(bytes(data)) or create(self, data))
    open_engine(tiny_model).close()
    open_engine(tiny_model, precision='fp32').close()
    assert seen[0] == b'' and seen[1].endswith(b'learnt')


@pytest.mark.parametrize('version', [name for name in VERSIONS if name != RTX])
def test_timings_of_another_gpu_are_no_obstacle(install_tensorrt, tiny_model, version):
    install_tensorrt(version)
    open_engine(tiny_model).close()
    folder = EngineCache().folder
    name, = [name for name in os.listdir(folder) if name.endswith('.timings')]
    with open(os.path.join(folder, name), 'wb') as stream:
        stream.write(b'of another GPU')
    open_engine(tiny_model, workspace=77).close()
    assert EngineCache().load_timings(name[:-len('.timings')]).endswith(b'learnt')


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    cache = EngineCache(str(tmp_path))
    cache.store('a', b'plan', {'precision': 'fp32'})
    monkeypatch.setattr(os, 'replace', lambda *_: (_ for _ in ()).throw(OSError('disk full')))
    cache.store('b', b'other', {})
    assert sorted(os.listdir(str(tmp_path))) == ['a.engine', 'a.engine.json']
    assert cache.load('a') == (b'plan', {
        'precision': 'fp32', 'plan_sha256': hashlib.sha256(b'plan').hexdigest()})
    assert cache.load('b') is None and cache.clear() == 1 and cache.entries() == []


def test_keys():
    keys = {plan_key(path, {'v': version}) for path in ('/a/net.onnx', 'b/other net.onnx')
            for version in (1, 2)}
    assert len(keys) == 4 and plan_key('/x/net.onnx', {'v': 1}) in keys
    assert not any('/' in key or ' ' in key for key in keys)


def test_f16_that_failed_is_not_tried_twice_in_one_start(trt, tiny_model, caplog):
    trt._settings.broken_half = True
    with caplog.at_level(logging.INFO, 'pose_ros'):
        works(tiny_model)
    half = trt._surface.major < 11
    assert trt._settings.built == (2 if half else 1)


@pytest.fixture
def stored(tmp_path):
    """Return a cache with one plan, and the paths of its files."""
    cache = EngineCache(str(tmp_path / 'a' / 'b'))
    cache.store('key', b'plan', {'precision': 'fp32'})
    cache.mark_rejected('other', 'reason')
    cache.store_timings('gpu', b'timings')
    assert cache.load('key')[0] == b'plan'
    return cache, [os.path.join(cache.folder, name) for name in sorted(os.listdir(cache.folder))]


def test_folders_and_files_are_for_this_user_only(stored):
    cache, paths = stored
    folders = [cache.folder, os.path.dirname(cache.folder)]
    assert [os.stat(path).st_mode & 0o777 for path in folders] == [0o700, 0o700]
    assert {os.stat(path).st_mode & 0o777 for path in paths} == {0o600} and len(paths) == 4


@pytest.mark.parametrize('mode', [0o777, 0o770, 0o722])
def test_a_folder_that_others_can_write_is_not_trusted(stored, mode, caplog):
    cache, _ = stored
    os.chmod(cache.folder, mode)
    assert cache.load('key') is None and cache.rejection('other') == ''
    assert cache.load_timings('gpu') == b''
    assert any('other users can write it (mode {:o})'.format(mode) in text
               for text in messages(caplog))
    cache.store('new', b'plan', {})
    assert not os.path.exists(os.path.join(cache.folder, 'new.engine'))


@pytest.mark.parametrize('suffix', ['.engine', '.engine.json'])
def test_a_file_that_others_can_write_is_not_trusted(stored, suffix, caplog):
    cache, _ = stored
    os.chmod(os.path.join(cache.folder, 'key' + suffix), 0o666)
    assert cache.load('key') is None
    assert any('other users can write it' in text for text in messages(caplog))


@pytest.mark.parametrize('name', ['', 'key.engine', 'key.engine.json'])
def test_what_belongs_to_another_user_is_not_trusted(stored, name, monkeypatch, caplog):
    cache, _ = stored
    if os.geteuid() == 0:
        os.chown(os.path.join(cache.folder, name), 54321, -1)
    else:
        monkeypatch.setattr(os, 'geteuid', lambda: 54321)
    assert cache.load('key') is None
    assert any('belongs to another user' in text for text in messages(caplog))


@pytest.mark.parametrize('kind', ['pipe', 'large'])
def test_a_plan_is_a_regular_file_of_a_sane_size(stored, kind):
    cache, _ = stored
    path = os.path.join(cache.folder, 'key.engine')
    os.remove(path)
    if kind == 'pipe':
        os.mkfifo(path, 0o600)
    else:
        with open(path, 'wb') as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.truncate(1 << 42)
    assert cache.load('key') is None


@pytest.mark.parametrize('cache_home', [None, '', 'relative'])
def test_without_a_home_nothing_is_kept(trt, tiny_model, cache_home, tmp_path, monkeypatch,
                                        caplog):
    """A folder of the name ~ was made once."""
    if cache_home is None:
        monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    else:
        monkeypatch.setenv('XDG_CACHE_HOME', cache_home)
    monkeypatch.setattr(os.path, 'expanduser', lambda path: path)
    monkeypatch.chdir(tmp_path)
    for built in (1, 2):
        works(tiny_model)
        assert trt._settings.built == built
    assert EngineCache().entries() == [] and EngineCache().clear() == 0
    assert os.listdir(str(tmp_path)) == []
    assert any('has no home' in text and 'XDG_CACHE_HOME' in text for text in messages(caplog))
