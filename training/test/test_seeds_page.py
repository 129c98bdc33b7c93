# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Every command, option, network and setting on docs/seeds.md exists."""
import ast
import importlib
import inspect
from pathlib import Path
import re
import shlex

import pytest
import torch

from pose_ros.cli.main import build_parser as robot_parser
from pose_ros.core import draw, PoseEstimator
from pose_ros.core.bundled import BUNDLED
from pose_ros.core.stages.settings import setting_tables
from pose_ros.core.topology import TOPOLOGIES
from pose_training import train
from pose_training.cli.main import build_parser as training_parser
from pose_training.fitting.config import load_config
from pose_training.models import create_model, networks

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'seeds.md').read_text(encoding='utf-8')
CODE = re.findall(r'`([^`]+)`', PAGE)
COMMANDS = [code for code in dict.fromkeys(CODE) if re.match(r'pose-(train|ros) \w+ ', code)]
POSE_CFG = 'pose_cfg.yaml'
SETTINGS = {'{}.{}'.format(table.owner, parameter.name)
            for table in setting_tables() for parameter in table.parameters}


@pytest.fixture(scope='module')
def parsers():
    """Return the parsers of both programs, with the options of all commands."""
    return {'pose-ros': robot_parser(), 'pose-train': training_parser()}


def check(command, parsers):
    """Raise ValueError or ConfigError for what does not exist in a command."""
    program, *words = shlex.split(command)
    try:
        args = parsers[program].parse_args(words)
    except SystemExit as error:
        if error.code == 0:  # --help
            return
        raise ValueError('the parser refuses it') from error
    for name, _ in getattr(args, 'set', None) or ():
        if name not in SETTINGS:
            raise ValueError('there is no setting {}'.format(name))
    if args.command == 'import' and args.model not in networks() \
            or args.command == 'models' and not set(args.names) <= set(networks()):
        raise ValueError('there is no such network')
    if program == 'pose-train' and args.command in ('fit', 'distill', 'view'):
        words = [args.config, *args.changes] if args.command != 'view' else args.words
        check_run([word for word in words if word])


def check_run(words):
    """Raise an error for a configuration, a setting or a network that does not exist."""
    changes = [word for word in words if '=' in word]
    paths = [word for word in words if word not in changes]
    if paths == [POSE_CFG]:  # the user's own
        importlib.import_module('pose_training.fitting.pose_cfg')
        return
    path = str(ROOT / 'training' / 'configs' / paths[0]) if paths else None
    config = load_config(path, changes)
    name = config.model.name
    if name not in networks():
        raise ValueError('there is no network {}'.format(name))
    if any(word.startswith('model.name=') for word in changes) and config.model.checkpoint:
        raise ValueError('the checkpoint {} decides the network'.format(config.model.checkpoint))
    with torch.device('meta'):  # no memory for the weights
        create_model(name, config.model.topology if config.model.topology in TOPOLOGIES else None,
                     **config.model.options)


@pytest.mark.parametrize('command', COMMANDS)
def test_commands_exist(command, parsers):
    check(command, parsers)


def test_the_page_has_a_table_for_each_system_and_each_row_says_how_it_stands():
    tables = re.findall(r'^## .*?\n\n((?:\|.*\n)+)', PAGE, re.MULTILINE)
    assert [table.count('\n') - 2 for table in tables] == [29, 24, 23, 10, 9]
    for row in ''.join(tables).splitlines():
        cells = row.strip('|').split(' | ')
        assert len(cells) == 3 or row.endswith('| |') or set(row) == set('|-'), row
        if len(cells) == 3 and cells[0].strip() != 'what it offers':
            assert re.match(r'works|not offered: |the classifier alone', cells[2].strip()), row
    assert len(COMMANDS) > 80


def test_the_function_of_the_training_takes_the_named_arguments():
    call, = [code for code in CODE if code.startswith('pose_training.train(')]
    named = {keyword.arg for keyword in ast.parse(call).body[0].value.keywords}
    known = set(inspect.signature(train).parameters)
    assert named <= known
    assert callable(PoseEstimator) and callable(draw.draw_people)
    assert 'person_detector' in BUNDLED
    launch, = re.findall(r'ros2 launch pose_ros ([\w.]+)', PAGE)
    assert (ROOT / 'launch' / launch).is_file()
    yaml = (ROOT / 'config' / 'estimator.yaml').read_text(encoding='utf-8')
    for name in re.findall(r'in the node `[\w.]*?(\w+): ', PAGE):
        assert re.search(r'\b{}:'.format(name), yaml), name
