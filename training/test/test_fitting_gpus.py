# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The choice of GPUs and the limit of their memory, by stand-ins for nvidia-smi and CUDA."""
import os
import subprocess

import pytest
import torch

from pose_training import train
from pose_training.cli.fit import read_config
from pose_training.cli.main import build_parser
from pose_training.errors import ConfigError
from pose_training.fitting import api, fit as fit_module, gpus
from pose_training.fitting.checks import check
from pose_training.fitting.config import load_config
from pose_training.fitting.gpus import limit_memory, parse_gpus, with_chosen_gpus
from pose_training.fitting.settings import RunConfig

pytestmark = pytest.mark.fitting

FOUR = ('0, GPU-aa11, 9000\n1, GPU-bb22, 300\n2, GPU-cc33, 5\n3, GPU-dd44, 41000\n')


@pytest.fixture
def nvidia(monkeypatch):
    """Four GPUs; returns a list of the queries."""
    queries = []

    def run(command, **options):
        queries.append(command)
        return subprocess.CompletedProcess(command, 0, FOUR, '')
    monkeypatch.setattr(subprocess, 'run', run)
    for name in ('CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'LOCAL_RANK', 'POSE_TRAINING_GPUS'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    return queries


@pytest.mark.parametrize('devices, visible, wanted', [
    (1, None, (2,)), (2, None, (1, 2)), (4, None, (0, 1, 2, 3)), (1, '3,0', (1,)),
    (1, 'GPU-dd,GPU-aa11,1', (2,)), (1, '3,7,2', (0,))])
def test_the_emptiest_are_chosen_among_the_visible_ones(nvidia, monkeypatch, devices, visible,
                                                        wanted):
    if visible:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
    chosen = with_chosen_gpus(RunConfig(emptiest_gpus=True, devices=devices))
    assert chosen.gpus == wanted and not chosen.emptiest_gpus
    assert nvidia[0][0] == 'nvidia-smi' and os.environ['CUDA_DEVICE_ORDER'] == 'PCI_BUS_ID'
    check(chosen)


def test_further_processes_of_a_run_take_the_choice_of_the_first(nvidia, monkeypatch):
    config = RunConfig(emptiest_gpus=True, devices=2)
    with_chosen_gpus(config)
    monkeypatch.setenv('LOCAL_RANK', '1')
    assert with_chosen_gpus(config).gpus == (1, 2) and len(nvidia) == 1
    monkeypatch.delenv('POSE_TRAINING_GPUS')
    with pytest.raises(ConfigError, match='not for torchrun'):
        with_chosen_gpus(config)


def test_too_few_or_unknown_gpus_are_refused(nvidia, monkeypatch):
    assert with_chosen_gpus(RunConfig()) == RunConfig() and not nvidia
    with pytest.raises(ConfigError, match='4 of 5 GPUs'):
        with_chosen_gpus(RunConfig(emptiest_gpus=True, devices=5))
    with pytest.raises(ConfigError, match='exclude each other'):
        with_chosen_gpus(RunConfig(emptiest_gpus=True, gpus=(1,)))

    def missing(command, **options):
        raise FileNotFoundError(2, 'No such file', command[0])
    monkeypatch.setattr(subprocess, 'run', missing)
    with pytest.raises(ConfigError, match='nvidia-smi does not say.*name them with `gpus`'):
        with_chosen_gpus(RunConfig(emptiest_gpus=True))


def test_the_memory_of_a_gpu_is_limited(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, 'set_per_process_memory_fraction',
                        lambda share, device: calls.append((share, device)))
    limit_memory(RunConfig(memory_fraction=.3), torch.device('cuda', 2))
    limit_memory(RunConfig(memory_fraction=.3), torch.device('cpu'))
    limit_memory(RunConfig(), torch.device('cuda', 2))
    assert calls == [(.3, torch.device('cuda', 2))]
    for share in (0., 1.5):
        with pytest.raises(ConfigError, match='memory_fraction must be above 0 and at most 1'):
            check(RunConfig(memory_fraction=share))


@pytest.mark.parametrize('text, changes', [
    ('0-1', ['gpus=[0, 1]', 'devices=2']), ('0,3', ['gpus=[0, 3]', 'devices=2']),
    ('2', ['gpus=[2]', 'devices=1']), ('auto', ['emptiest_gpus=true'])])
def test_gpus_of_the_command_line(tmp_path, text, changes):
    assert parse_gpus(text) == changes
    path = tmp_path / 'run.yaml'
    path.write_text('seed: 3')
    args = build_parser().parse_args(['fit', str(path), '--gpus', text, '--continue'])
    assert args.resume and read_config(args) == load_config(str(path), changes)


@pytest.mark.parametrize('text', ['', 'a', '0,', '1-', '0,0', '0-1,1', '3-2'])
def test_gpus_that_are_none(text):
    with pytest.raises(ConfigError, match='--gpus'):
        parse_gpus(text)


def test_a_program_chooses_gpu_memory_and_algorithms(tmp_path, monkeypatch):
    path, seen = tmp_path / 'run.yaml', []
    path.write_text('seed: 3')
    monkeypatch.setattr(api, 'fit', lambda config, resume: seen.append(config))
    train(str(path), memfrac=.3, disable_autotune=True, choose_gpu=3)
    train(str(path), choose_gpu='auto')
    assert seen[0] == RunConfig(seed=3, memory_fraction=.3, autotune=False, gpus=(3,))
    assert seen[1] == RunConfig(seed=3, emptiest_gpus=True)


@pytest.mark.parametrize('changes, wanted', [({}, True), ({'autotune': False}, False),
                                             ({'deterministic': True}, False)])
def test_algorithms_are_tried_unless_it_is_disabled(tmp_path, monkeypatch, changes, wanted):
    made = []
    monkeypatch.setattr(fit_module.lightning, 'Trainer', lambda **options: made.append(options))
    fit_module._trainer(RunConfig(output=str(tmp_path), **changes), None, {}, fresh=True)
    assert made[0]['benchmark'] is wanted
    assert gpus.AUTO == 'auto'
