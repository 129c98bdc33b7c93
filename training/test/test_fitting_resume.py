# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A training that is interrupted continues exactly."""
import os
import re
import signal

from figures import run_data, write_figures
import pytest
import torch

from pose_training.checkpoint import load_checkpoint
from pose_training.errors import ConfigError, FitError
from pose_training.fitting.config import build
from pose_training.fitting.crops import Remaining
from pose_training.fitting.fit import fit
from pose_training.fitting.interruption import Interrupted
from pose_training.fitting.module import PoseModule
from pose_training.fitting.settings import RunConfig

pytestmark = pytest.mark.fitting


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with a dataset."""
    path = tmp_path_factory.mktemp('resume')
    write_figures(path / 'data')
    return path


def config(folder, name, **changes):
    """Return a run of 3 epochs of 3 steps."""
    values = {'optimizer__epochs': 3, 'output': str(folder / name), **changes}
    return build(RunConfig, run_data(folder, str(folder / 'data' / 'figures.json'), **values), '')


@pytest.fixture(scope='module')
def whole(folder):
    """Return the last snapshot of a run without interruptions."""
    fit(config(folder, 'whole'))
    return snapshot(folder / 'whole')


def snapshot(run):
    """Return what the last snapshot of a run holds."""
    return torch.load(run / 'snapshots' / 'last.ckpt', weights_only=True)


def stop_in(monkeypatch, step, number=signal.SIGTERM):
    """Send this process a signal while it computes a step (from 1 on)."""
    original = PoseModule.training_step

    def training_step(self, batch, batch_idx):
        if self.trainer.global_step == step - 1:
            os.kill(os.getpid(), number)
        return original(self, batch, batch_idx)
    monkeypatch.setattr(PoseModule, 'training_step', training_step)


def assert_same(found, wanted):
    """Compare all that learns, bit for bit."""
    for key in ('state_dict', 'current_model_state'):
        assert found[key].keys() == wanted[key].keys()
        for name, value in wanted[key].items():
            assert torch.equal(found[key][name], value), (key, name)
    states = [part['optimizer_states'][0]['state'] for part in (found, wanted)]
    assert states[0].keys() == states[1].keys()
    for index, state in states[1].items():
        for name, value in state.items():
            assert torch.equal(states[0][index][name], value), (index, name)
    assert found['global_step'] == wanted['global_step'] == 9
    assert torch.equal(found['random_states'][0]['cpu'], wanted['random_states'][0]['cpu'])


# Step 4 is the first of an epoch, 5 is in the middle, 3 and 6 are the last of theirs.
@pytest.mark.parametrize('step, workers', [(1, 0), (3, 0), (4, 0), (5, 2), (6, 2), (8, 0)])
def test_an_interrupted_run_ends_as_if_it_had_not_been(folder, whole, monkeypatch, step, workers):
    run = config(folder, 'stopped_{}_{}'.format(step, workers), data__workers=workers)
    with monkeypatch.context() as patched:
        stop_in(patched, step)
        with pytest.raises(Interrupted, match='after step {}'.format(step)) as stopped:
            fit(run)
    assert stopped.value.snapshot.endswith('last.ckpt')
    fit(run)
    assert_same(snapshot(folder / os.path.basename(run.output)), whole)


def test_a_run_continues_after_two_interruptions_in_one_epoch(folder, whole, monkeypatch, capfd):
    run = config(folder, 'twice')
    for step, number in ((4, signal.SIGINT), (5, signal.SIGTERM)):
        with monkeypatch.context() as patched:
            stop_in(patched, step, number)
            with pytest.raises(Interrupted):
                fit(run)
    capfd.readouterr()
    fit(run)
    assert_same(snapshot(folder / 'twice'), whole)
    # The epoch that was interrupted is timed from where it continues.
    lines = capfd.readouterr().err.splitlines()
    assert [line.split(':')[0] for line in lines] == ['epoch 2/3', 'epoch 3/3']
    assert all(float(re.search(r', ([0-9.]+) s, ', line).group(1)) < 30 for line in lines)


def test_random_numbers_continue_from_the_snapshot(folder, monkeypatch):
    original = PoseModule.training_step
    monkeypatch.setattr(PoseModule, 'training_step', lambda self, batch, batch_idx: (
        torch.rand(()) * original(self, batch, batch_idx)))
    fit(config(folder, 'noisy'))
    with monkeypatch.context() as patched:
        stop_in(patched, 5)
        with pytest.raises(Interrupted):
            fit(config(folder, 'noisy_stopped'))
    torch.rand(3)
    fit(config(folder, 'noisy_stopped'))
    assert_same(snapshot(folder / 'noisy_stopped'), snapshot(folder / 'noisy'))


def test_a_run_that_was_killed_continues_from_its_last_epoch(folder, whole, monkeypatch):
    run = config(folder, 'killed')
    original = PoseModule.training_step

    def training_step(self, batch, batch_idx):
        if self.trainer.global_step == 4:
            raise RuntimeError('a power cut')
        return original(self, batch, batch_idx)
    with monkeypatch.context() as patched:
        patched.setattr(PoseModule, 'training_step', training_step)
        with pytest.raises(RuntimeError, match='power cut'):
            fit(run)
    assert snapshot(folder / 'killed')['global_step'] == 3
    fit(run)
    assert_same(snapshot(folder / 'killed'), whole)


def test_a_signal_that_is_repeated_at_once_is_one(folder, monkeypatch):
    stop_in(monkeypatch, 2, signal.SIGINT)
    stop_in(monkeypatch, 2)
    with pytest.raises(Interrupted, match='after step 2'):
        fit(config(folder, 'repeated'))


@pytest.mark.parametrize('step', [5, 6])
def test_validation_and_images_change_nothing(folder, whole, monkeypatch, step):
    run = config(folder, 'watched_{}'.format(step), validation={'drawn_crops': 1, 'every': 2},
                 data__val=[{'path': str(folder / 'data' / 'figures.json')}], data__val_crops=5,
                 data__workers=1)
    with monkeypatch.context() as patched:
        stop_in(patched, step)
        with pytest.raises(Interrupted):
            fit(run)
    fit(run)
    assert_same(snapshot(folder / os.path.basename(run.output)), whole)


def test_a_damaged_snapshot_is_an_error(folder):
    run = config(folder, 'damaged', optimizer__epochs=1)
    fit(run)
    last = folder / 'damaged' / 'snapshots' / 'last.ckpt'
    whole = last.read_bytes()
    last.unlink()  # the file has a second name
    for content in (whole[:5000], b'', b'nothing of the kind'):
        last.write_bytes(content)
        with pytest.raises(FitError, match='cannot read the snapshot .*last.ckpt'):
            fit(run)


def test_ctrl_c_before_the_first_step_is_an_interruption_too(folder, monkeypatch):
    def setup(self, stage):
        raise KeyboardInterrupt
    monkeypatch.setattr('pose_training.fitting.crops.Crops.setup', setup)
    with pytest.raises(Interrupted, match='before the first step'):
        fit(config(folder, 'early'))
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_signals_have_their_old_meaning_afterwards(folder, monkeypatch):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stop_in(monkeypatch, 2)
    with pytest.raises(Interrupted):
        fit(config(folder, 'signals'))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_signal_stops_at_once(folder, monkeypatch):
    monkeypatch.setattr('pose_training.fitting.interruption._PATIENCE', -1.)

    def training_step(self, batch, batch_idx):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError('not reached')
    monkeypatch.setattr(PoseModule, 'training_step', training_step)
    with pytest.raises(Interrupted, match='at once') as stopped:
        fit(config(folder, 'at_once'))
    assert not stopped.value.snapshot
    assert not (folder / 'at_once' / 'snapshots').exists()


def test_every_epoch_has_other_crops_and_a_new_run_has_the_same(folder, whole, monkeypatch):
    seen = []
    original = PoseModule.training_step

    def training_step(self, batch, batch_idx):
        seen.append(batch[0].clone())
        return original(self, batch, batch_idx)
    monkeypatch.setattr(PoseModule, 'training_step', training_step)
    fit(config(folder, 'again'))
    assert_same(snapshot(folder / 'again'), whole)
    epochs = [torch.cat(seen[k:k + 3]) for k in (0, 3, 6)]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert not torch.equal(epochs[first], epochs[second])


def test_another_seed_gives_other_weights(folder, whole):
    fit(config(folder, 'seed', seed=1))
    found = snapshot(folder / 'seed')['state_dict']
    assert any(not torch.equal(found[name], value) for name, value in whole['state_dict'].items())


def test_an_existing_run_is_rejected_continued_or_moved_aside(folder, caplog):
    run = config(folder, 'there', optimizer__epochs=1)
    fit(run, resume=None)
    with pytest.raises(ConfigError, match='--resume continues it, --fresh'):
        fit(run, resume=None)
    longer = run._replace(optimizer=run.optimizer._replace(epochs=2))
    fit(longer, resume=True)
    assert 'optimizer.epochs was 1 until now, and is 2' in caplog.text
    assert snapshot(folder / 'there')['global_step'] == 6
    fit(run, resume=False)
    assert snapshot(folder / 'there')['global_step'] == 3
    assert snapshot(folder / 'there.1')['global_step'] == 6


def test_the_configured_number_of_snapshots_is_kept(folder):
    def names(name, **changes):
        fit(config(folder, name, optimizer__epochs=5, optimizer__crops_per_epoch=4, **changes))
        return sorted(path.name for path in (folder / name / 'snapshots').iterdir())
    assert names('two', max_to_keep=2) == ['epoch_0004.ckpt', 'epoch_0005.ckpt', 'last.ckpt']
    assert names('all', max_to_keep=0) == ['epoch_{:04d}.ckpt'.format(k) for k in range(1, 6)] \
        + ['last.ckpt']
    assert names('rare', snapshot_every=2) == ['epoch_0002.ckpt', 'epoch_0004.ckpt',
                                               'epoch_0005.ckpt', 'last.ckpt']


def test_snapshots_are_checkpoints_of_the_averaged_network(folder, whole):
    network, provenance = load_checkpoint(str(folder / 'whole' / 'snapshots' / 'epoch_0003.ckpt'))
    final, _ = load_checkpoint(str(folder / 'whole' / 'network.pt'))
    for name, value in final.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)
        assert torch.equal(whole['state_dict']['network.' + name], value)
    assert provenance['trained_on'] == [str(folder / 'data' / 'figures.json')]
    current = whole['current_model_state']
    assert not torch.equal(current['network.stages.0.3.weight'],
                           final.state_dict()['stages.0.3.weight'])


def test_a_snapshot_of_another_network_is_rejected(folder):
    run = config(folder, 'other', optimizer__epochs=1)
    fit(run)
    options = dict(run.model.options, neck=12)
    with pytest.raises(FitError, match='of another network than the configured one'):
        fit(run._replace(model=run.model._replace(options=options)))


def test_a_full_disk_is_an_error_and_keeps_the_older_snapshot(folder, monkeypatch):
    run = config(folder, 'full', optimizer__epochs=2)
    original = torch.save

    def save(data, stream):
        original(data, stream)
        if data['global_step'] > 3:
            raise OSError(28, 'No space left on device')
    monkeypatch.setattr(torch, 'save', save)
    with pytest.raises(FitError, match='No space left on device.*before it is unchanged'):
        fit(run)
    assert snapshot(folder / 'full')['global_step'] == 3
    assert sorted(path.name for path in (folder / 'full' / 'snapshots').iterdir()) == [
        'epoch_0001.ckpt', 'last.ckpt']


def test_remaining_draws_skip_once_and_keep_the_length_of_an_epoch():
    class CropSampler(list):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch
    draws = CropSampler(range(10))
    sampler = Remaining(draws, 4)
    assert len(sampler) == 10
    assert list(sampler) == list(range(4, 10))
    assert list(sampler) == list(range(10))
    sampler.set_epoch(7)
    assert draws.epoch == 7
