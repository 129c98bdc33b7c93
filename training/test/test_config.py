# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations: reading, and the errors for invalid ones."""
import os
from pathlib import Path

import pytest
import yaml

from pose_training.cli.main import main
from pose_training.data.sets import SetConfig
from pose_training.errors import ConfigError
from pose_training.fitting.checks import check, check_network
from pose_training.fitting.config import build, differences, load_config, plain
from pose_training.fitting.network import DATASET
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def write(folder, text):
    """Write a configuration and return its path."""
    path = folder / 'run.yaml'
    path.write_text(text)
    return str(path)


def test_a_file_and_changes_become_a_configuration(tmp_path):
    path = write(tmp_path, '''
model: {name: repvgg_fpn, options: {stages: 1, widths: [8, 8, 8, 8, 8]}}
data:
  train:
    - {path: a.json, weight: 2}
    - {path: empty/}
  crop: {height: [0.2, 1.0]}
optimizer: {lr: 1e-3, epochs: 7, freeze: {backbone: 100}}
''')
    config = load_config(path, ['optimizer.lr=3e-4', 'teacher.models=[x.onnx, y.xml]',
                                'data.size=[384, 288]', 'model.options.stages=2', 'seed=5'])
    assert config.data.train == (SetConfig('a.json', 2.), SetConfig('empty/'))
    assert config.data.crop.height == (.2, 1.) and config.data.crop.rotation == 40
    assert config.optimizer.lr == 3e-4 and config.optimizer.epochs == 7
    assert config.optimizer.freeze == {'backbone': 100}
    assert config.teacher.models == ('x.onnx', 'y.xml')
    assert config.data.size == (384, 288) and config.seed == 5
    assert config.model.options == {'stages': 2, 'widths': [8, 8, 8, 8, 8]}
    assert config.model.topology == ''


def test_a_configuration_survives_its_own_file(tmp_path):
    config = load_config(None, ['data.train=[{path: a.json, names: {a: nose}}]',
                                'optimizer.schedule=step', 'optimizer.milestones=[3, 5]',
                                'teacher.hints=[{student: pyramid, teacher: x}]'])
    path = write(tmp_path, yaml.safe_dump(plain(config)))
    assert load_config(path) == config
    assert differences(load_config(path, ['seed=3', 'data.size=[64, 64]']), config) == {
        'seed': (3, 0), 'data.size': ([64, 64], [288, 288])}


@pytest.mark.parametrize('change, words', [
    ('optimizer.lrr=1', "optimizer: unknown key 'lrr'; did you mean 'lr'"),
    ('optimzer.lr=1', "unknown key 'optimzer'; did you mean 'optimizer'"),
    ('xyzzy=1', "unknown key 'xyzzy'; the keys are model, data,"),
    ('optimizer.lr=fast', "optimizer, lr: expected float, not 'fast'"),
    ('optimizer.epochs=1.5', 'optimizer, epochs: expected int, not 1.5'),
    ('optimizer.epochs=true', 'expected int, not True'),
    ('data.preload=1', 'data, preload: expected bool, not 1'),
    ('data.size=[1,2,3]', r'data, size: expected 2 values, not \[1, 2, 3\]'),
    ('data.size=288', 'data, size: expected a list, not 288'),
    ('data.train=[{weight: 1}]', "data, train, item 1: missing key 'path'"),
    ('data.train=[{path: a, wieght: 1}]', "item 1: unknown key 'wieght'; did you mean 'weight'"),
    ('data=[1]', r'data: expected keys \(train, .*\), not \[1\]'),
    ('optimizer.freeze=3', 'optimizer, freeze: expected keys and values, not 3'),
    ('optimizer.freeze={a: b}', "optimizer, freeze, a: expected int, not 'b'"),
    ('seed.a=1', "'seed.a=1': 'seed' has no keys"),
    ('seed', "'seed' is not KEY=VALUE"),
    ('=3', "'=3' is not KEY=VALUE"),
    ('seed=[', r"'seed=\[': the value is not YAML"),
])
def test_faults_are_named_with_their_place(tmp_path, change, words):
    path = write(tmp_path, 'seed: 3')
    with pytest.raises(ConfigError, match=words):
        load_config(path, [change])


@pytest.mark.parametrize('text, words', [
    ('a: [', 'cannot read the configuration .*run.yaml'), ('- 1', 'expected keys such as'),
    ('hello', "run.yaml is no configuration.*'hello'"),
    ('a: !!python/object:os.system {}', 'cannot read')])
def test_files_that_are_no_configuration_are_rejected(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        load_config(write(tmp_path, text))
    with pytest.raises(ConfigError, match='cannot read the configuration nowhere.yaml'):
        load_config('nowhere.yaml')


def test_a_key_without_a_value_has_its_default(tmp_path):
    path = write(tmp_path, 'validation: {evaluate: a.json, every: 3}\noptimizer:\nseed: 4')
    config = load_config(path, ['validation.evaluate=', 'seed='])
    assert config.validation.evaluate == '' and config.validation.every == 3 and config.seed == 0
    with pytest.raises(ConfigError, match="missing key 'path'"):
        load_config(path, ['data.train=[{path: }]'])


def test_an_empty_file_is_all_defaults(tmp_path):
    assert load_config(write(tmp_path, '')) == RunConfig()


@pytest.mark.parametrize('changes, words', [
    (['optimizer.batch=0'], 'optimizer.batch must be at least 1, not 0'),
    (['optimizer.lr=-1'], 'optimizer.lr must be above 0'),
    (['optimizer.lr=.nan'], 'optimizer.lr must be above 0, not nan'),
    (['devices=3'], 'optimizer.batch must be a multiple of the 3 processes, not 32'),
    (['optimizer.crops_per_epoch=8'], r'at least one batch \(32\)'),
    (['optimizer.precision=bf8'], 'one of fp32, bf16, fp16'),
    (['optimizer.schedule=cosin'], 'one of cosine, step, constant'),
    (['optimizer.schedule=step'], 'milestones must be epochs for the schedule `step`'),
    (['optimizer.milestones=[3]'], 'milestones must be epochs for the schedule `step`'),
    (['optimizer.schedule=step', 'optimizer.milestones=[5, 3]'], 'must be ascending'),
    (['optimizer.ema_decay=1.0'], 'at least 0 and below 1'),
    (['teacher.weight=1.5'], 'teacher.weight must be from 0 to 1'),
    (['teacher.cards=[a]'], 'no more than the teacher.models'),
    (['teacher.hints=[{student: a, teacher: b}]'], 'of models that are listed'),
    (['data.train=[{path: a, weight: 0}]'], 'at least one weight must be above 0'),
    (['gpus=[0, 1]'], r'as many numbers as devices \(1\)'),
    (['accelerator=tpu'], 'one of auto, cpu, gpu'),
])
def test_invalid_values_are_rejected(changes, words):
    with pytest.raises(ConfigError, match=words):
        check(load_config(None, changes))


def test_crops_must_fit_the_network():
    config = load_config(None, ['data.size=[300, 288]'])
    with pytest.raises(ConfigError, match=r'multiples of 32, not \[300, 288\]; \[288, 288\]'):
        check_network(config, create_model('repvgg_fpn'))


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.yaml')), ids=lambda path: path.name)
def test_the_shipped_configurations_are_valid(path):
    config = load_config(str(path))
    check(config)
    model = config.model
    # The skeleton of a dataset can be any: coco_17 stands for it.
    topology = 'coco_17' if model.topology == DATASET else model.topology
    check_network(config, create_model(model.name, topology, **model.options))
    assert config.data.train
    assert build(RunConfig, plain(config), 'again') == config


def test_help_lists_every_setting_with_its_default_and_a_line(capsys):
    assert main(['fit', '--help']) == 0
    text = capsys.readouterr().out
    lines = {line.split('=')[0].strip(): line for line in text.splitlines() if '=' in line}

    def settings(config, prefix=''):
        for key, value in config._asdict().items():
            yield from (settings(value, prefix + key + '.') if hasattr(value, '_fields')
                        else [(prefix + key, value)])
    found = dict(settings(RunConfig()))
    assert len(found) > 60
    for key in found:
        assert len(lines[key].split(None, 1)[1]) > 3, key
    assert lines['optimizer.lr'].split() == (
        'optimizer.lr=0.001 learning rate after the warm-up'.split())
    assert '[px]' in lines['data.sigma'] and '- empty_weight' in lines


@pytest.mark.parametrize('text, words', [
    ('data: &a {size: [64, 64]}\nteacher: *a\n', 'aliases'), ('[' * 100000, 'levels'),
    ('seed: 1\nseed: 2\n', "the key 'seed' appears twice"), ('#' * (1 << 21), 'at most')])
def test_hostile_configurations_are_refused(tmp_path, text, words):
    path = tmp_path / 'run.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match='run.yaml') as error:
        load_config(str(path))
    assert words in str(error.value)


def test_a_configuration_is_a_regular_file(tmp_path):
    path = tmp_path / 'pipe'
    os.mkfifo(path)
    for name in (str(path), '/dev/zero', str(tmp_path)):
        with pytest.raises(ConfigError, match='not a regular file'):
            load_config(name)
