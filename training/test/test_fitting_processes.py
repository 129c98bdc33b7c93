# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes learn what one learns from the same total batch."""
import os
from pathlib import Path
import re
import signal
import socket
import subprocess
import sys

from figures import write_figures, write_run
import pytest
import torch

from pose_training.cli.main import main
from pose_training.data.dataset import CropSampler
from pose_training.fitting.crops import Remaining
from pose_training.fitting.fit import _own_process_group

pytestmark = pytest.mark.fitting

TRAINING = Path(__file__).resolve().parents[1]
# Without statistics per batch two halves of a batch add up to the whole.
RUN = {'optimizer__norm': 'frozen', 'optimizer__epochs': 3, 'data__variants': 16}


def launch(words, launcher, **changes):
    """Start a run in two processes and return it."""
    start = {'torchrun': [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node=2',
                          '--master-port={}'.format(free_port()), '-m', 'pose_training.cli'],
             'devices': [sys.executable, '-m', 'pose_training.cli']}[launcher]
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'MASTER_PORT': str(free_port()), **changes}
    return subprocess.Popen([*start, *words, '--devices', '2'], cwd=TRAINING, text=True, env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def free_port():
    """Return an unused TCP port."""
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


def losses(printed):
    """Return the losses and the validation losses of the epochs, from what a run printed."""
    found = re.findall(r'^epoch .*: loss ([0-9.]+), validation ([0-9.]+),', printed, re.M)
    return [float(value) for pair in found for value in pair]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with a dataset, and a run of one process in it."""
    path = tmp_path_factory.mktemp('processes')
    write_figures(path / 'data')
    return path


@pytest.fixture
def alone(folder, capfd):
    """Return a function that runs one process, and returns the losses."""
    def run(name, **changes):
        assert main(['fit', config(folder, name, **changes), '--fresh']) == 0
        return losses(capfd.readouterr().err)
    return run


def config(folder, name, **changes):
    """Write the configuration of a run, and return its path."""
    data = str(folder / 'data' / 'figures.json')
    return write_run(folder, data, name + '.yaml', output=str(folder / name),
                     data__val=[{'path': data}], data__val_crops=7, **{**RUN, **changes})


def weights(run):
    """Return the trained weights (not averaged) after the last step."""
    path = run / 'snapshots' / 'last.ckpt'
    return torch.load(path, weights_only=True)['current_model_state']


@pytest.mark.parametrize('launcher', ['torchrun', 'devices'])
def test_two_processes_learn_as_one(folder, alone, launcher):
    wanted = alone('one')
    process = launch(['fit', config(folder, launcher)], launcher)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.count('wrote ') == 1
    assert losses(err) == pytest.approx(wanted, rel=1e-3) and len(wanted) == 6
    assert sorted(os.listdir(folder / launcher / 'snapshots')) == [
        'epoch_0001.ckpt', 'epoch_0002.ckpt', 'epoch_0003.ckpt', 'last.ckpt']
    assert len(list((folder / launcher / 'log').glob('events*'))) == 1
    found, wanted = weights(folder / launcher), weights(folder / 'one')
    for name, value in wanted.items():
        assert torch.allclose(found[name], value, rtol=1e-3, atol=1e-4), name


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='lists the threads of Linux')
def test_no_thread_of_the_process_group_outlives_the_training(tmp_path):
    with _own_process_group():
        torch.distributed.init_process_group(
            'gloo', store=torch.distributed.FileStore(str(tmp_path / 'store'), 1), rank=0,
            world_size=1)
        torch.distributed.all_reduce(torch.ones(1))
        assert any('gloo' in name for name in threads())
    assert not any('gloo' in name for name in threads())


def threads():
    """Return the names of the threads of this process."""
    return [path.read_text() for path in Path('/proc/self/task').glob('*/comm')]


def test_with_batch_norms_per_process_the_curves_are_similar(folder, alone):
    changes = {'optimizer__norm': 'batch', 'optimizer__batch': 8, 'optimizer__epochs': 6,
               'optimizer__crops_per_epoch': 48}
    one = alone('one_batch', **changes)
    process = launch(['fit', config(folder, 'two_batches', **changes)], 'devices')
    two = losses(process.communicate(timeout=120)[1])
    assert len(one) == 12 and one[-2] < .6 * one[0]
    assert two == pytest.approx(one, rel=.1) and two != one


def test_a_signal_to_one_process_stops_both_and_both_resume(folder):
    words = ['fit', config(folder, 'stopped', optimizer__epochs=500)]
    process = launch(words, 'devices')
    for line in process.stderr:
        if line.startswith('epoch 2/'):
            break
    os.kill(process.pid, signal.SIGTERM)
    printed = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert 'to continue: pose-train fit' in printed and 'Traceback' not in printed
    path = folder / 'stopped' / 'snapshots' / 'last.ckpt'
    epochs = torch.load(path, weights_only=True)['global_step'] // 3 + 2
    process = launch([*words, '--resume', 'optimizer.epochs={}'.format(epochs)], 'devices')
    printed = process.communicate(timeout=120)[1]
    assert process.returncode == 0, printed
    state = torch.load(path, weights_only=True)
    assert state['global_step'] == 3 * epochs and len(state['random_states']) == 2


def test_the_processes_share_each_batch_without_overlap():
    whole = list(CropSampler([1.] * 50, 48, 4, seed=3))
    parts = [list(Remaining(CropSampler([1.] * 50, 48, 4, seed=3, rank=rank, ranks=2)))
             for rank in (0, 1)]
    for batch in range(6):
        both = [draw for part in parts for draw in part[4 * batch:4 * batch + 4]]
        assert sorted(both) == sorted(whole[8 * batch:8 * batch + 8])


def test_an_error_in_two_processes_is_reported(folder):
    process = launch(['fit', config(folder, 'broken'), 'data.train=[{path: nowhere.json}]'],
                     'devices')
    assert 'cannot read the dataset nowhere.json' in process.communicate(timeout=60)[1]
    assert process.returncode
