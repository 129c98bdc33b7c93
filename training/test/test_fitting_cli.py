# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train fit`, as a user runs it."""
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

from figures import run_data, write_figures, write_run
import pytest
import torch
import yaml

import pose_training
from pose_training.cli.main import main

pytestmark = pytest.mark.fitting

TRAINING = Path(__file__).resolve().parents[1]
CLEAN = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'), 0.)
# A network that memorizes eight images within half a minute.
OVERFIT = {
    'model__options': {'widths': [16, 32, 48, 64, 64], 'depths': [1, 1, 1, 1, 1], 'neck': 48,
                       'head': 64, 'stages': 2},
    'data__size': [128, 128], 'data__limb_width': 4., 'data__variants': 8,
    'data__crop': {'height': [.7, .9], 'rotation': 5., 'shift': .08, 'stretch': 0., 'flip': 0.,
                   'free': 0., 'mosaic': 0.},
    'data__photometric': CLEAN, 'optimizer__epochs': 12, 'optimizer__crops_per_epoch': 160,
    'optimizer__batch': 8, 'optimizer__lr': 6e-3, 'optimizer__ema_decay': .98}


@pytest.fixture
def data(tmp_path):
    """Return the path of a tiny dataset."""
    return write_figures(tmp_path / 'data')


def command(*words):
    """Return the command line of a sub-command."""
    return [sys.executable, '-m', 'pose_training.cli', *map(str, words)]


def environment(**changes):
    """Return the environment of a sub-process that shares its cores."""
    return {**os.environ, 'OMP_NUM_THREADS': '1', **changes}


def test_training_memorizes_a_tiny_dataset(tmp_path, capfd):
    data = write_figures(tmp_path / 'data', side=128)
    config = write_run(tmp_path, data, **OVERFIT)
    model, figures = str(tmp_path / 'model.onnx'), str(tmp_path / 'figures.json')
    assert main(['fit', config]) == 0
    network = str(tmp_path / 'run' / 'network.pt')
    assert 'wrote {}'.format(network) in capfd.readouterr().out
    assert main(['export', network, '-o', model, '--size', '128x128']) == 0
    assert main(['evaluate', model, '--data', data, '--json', figures]) == 0
    found = json.loads(Path(figures).read_text())['results'][0]['figures']
    assert found['AP'] > .9
    assert found['PCK'] > .97 and found['swapped'] == 0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_processes_stops_with_a_snapshot(tmp_path, data, number):
    config = write_run(tmp_path, data, data__workers=2, optimizer__epochs=1000)
    process = subprocess.Popen(command('fit', config, 'seed=2'), cwd=TRAINING, text=True,
                               env=environment(), stderr=subprocess.PIPE, start_new_session=True)
    lines = [process.stderr.readline() for _ in range(2)]
    assert lines[0].startswith('epoch 1/1000: loss ') and ' images/s ' in lines[1]
    os.killpg(process.pid, number)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    last = rest.strip().splitlines()[-1]
    assert last.startswith('stopped in epoch ') and 'Traceback' not in rest
    assert last.endswith('to continue: pose-train fit {} seed=2 --resume'.format(config))
    snapshot = tmp_path / 'run' / 'snapshots' / 'last.ckpt'
    assert str(snapshot) in last
    steps = torch.load(snapshot, weights_only=True)['global_step']
    epochs = steps // 3 + 2
    assert main(['fit', config, 'seed=2', 'optimizer.epochs={}'.format(epochs), '--resume']) == 0
    assert torch.load(snapshot, weights_only=True)['global_step'] == 3 * epochs


def test_a_run_is_not_begun_twice_by_accident(tmp_path, data, capfd):
    config = write_run(tmp_path, data, optimizer__epochs=1)
    assert main(['fit', config]) == 0
    assert main(['fit', config]) == 1
    assert '--resume continues it, --fresh' in capfd.readouterr().err
    assert main(['fit', config, '--fresh', '--max-to-keep', '1', 'optimizer.epochs=2']) == 0
    assert sorted(os.listdir(tmp_path / 'run' / 'snapshots')) == ['epoch_0002.ckpt', 'last.ckpt']
    assert (tmp_path / 'run.1' / 'network.pt').exists()
    assert main(['fit', config, '--fresh', '--resume']) == 2


def test_output_is_in_the_configured_folder(tmp_path, data):
    config = write_run(tmp_path, data, optimizer__epochs=1)
    assert main(['fit', config, '--output', str(tmp_path / 'other'), 'seed=9']) == 0
    written = yaml.safe_load((tmp_path / 'other' / 'config.yaml').read_text())
    assert written['seed'] == 9 and written['output'] == str(tmp_path / 'other')
    assert not (tmp_path / 'run').exists()


def test_training_from_a_program(tmp_path, data):
    config = write_run(tmp_path, data, optimizer__epochs=3, optimizer__crops_per_epoch=4)
    assert pose_training.train(cfg_filename=config, max_to_keep=1) == str(
        tmp_path / 'run' / 'network.pt')
    assert sorted(os.listdir(tmp_path / 'run' / 'snapshots')) == ['epoch_0003.ckpt', 'last.ckpt']
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        pose_training.trian


def test_a_chosen_gpu_is_used(tmp_path, data, monkeypatch):
    asked = []
    monkeypatch.setattr('pose_training.fitting.api.fit',
                        lambda config, resume: asked.append((config.gpus, config.devices)))
    config = write_run(tmp_path, data)
    pose_training.train(config, choose_gpu=3)
    pose_training.train(config, choose_gpu=[0, 2])
    pose_training.train(config)
    assert asked == [((3,), 1), ((0, 2), 2), ((), 1)]


def failing(tmp_path, data, capfd, *words, **changes):
    """Run a command that must fail, and return its error."""
    assert main(['fit', write_run(tmp_path, data, **changes), *words]) == 1
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('pose-train: error: ')
    return error


def test_errors_name_the_fix(tmp_path, data, capfd):
    assert "did you mean 'lr'" in failing(tmp_path, data, capfd, 'optimizer.lrr=3')
    assert 'cannot read the dataset nowhere.json' in failing(tmp_path, 'nowhere.json', capfd)
    assert 'data.train names no dataset' in failing(tmp_path, data, capfd, 'data.train=[]')
    assert 'unknown network' in failing(tmp_path, data, capfd, 'model.name=studnet')
    assert 'figures.json is not opened' in failing(tmp_path, data, capfd,
                                                   'model.checkpoint=' + data)
    assert 'cannot read' in failing(tmp_path, data, capfd, 'validation.evaluate=nowhere.json')
    assert 'sync needs GPUs' in failing(tmp_path, data, capfd, 'optimizer.norm=sync')
    assert 'fp16 needs a GPU' in failing(tmp_path, data, capfd, 'optimizer.precision=fp16')
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert 'has no images' in failing(tmp_path, str(empty), capfd)


def test_a_dataset_without_people_needs_a_teacher(tmp_path, data, capfd):
    Path(data).unlink()  # what remains is a folder of images
    assert 'no person is labelled in' in failing(tmp_path, str(tmp_path / 'data'), capfd)


def test_a_dataset_of_broken_images_is_an_error_of_its_loader(tmp_path, data, capfd):
    for path in (tmp_path / 'data').glob('*.png'):
        path.write_bytes(b'not an image')
    error = failing(tmp_path, data, capfd, data__preload=False, data__workers=2)
    assert 'none of' in error or 'cannot be used' in error
    assert 'Traceback' not in error


def test_a_loss_that_is_no_number_stops_the_run(tmp_path, data, capfd):
    error = failing(tmp_path, data, capfd, optimizer__lr=1e30, optimizer__grad_clip_norm=0.,
                    optimizer__warmup=0., optimizer__epochs=9)
    assert 'try a lower optimizer.lr' in error and 'in step ' in error
    assert 'figures_' in error and '.png' in error


def test_a_run_is_watched(tmp_path, data, capfd):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    config = write_run(
        tmp_path, data, data__val=[{'path': data,
                                    'all_visible_keypoints_annotated': True}], data__val_crops=8,
        validation={'drawn_crops': 2, 'every': 2, 'evaluate': data, 'evaluate_every': 2,
                    'evaluate_size': [96, 96]}, optimizer__epochs=4, optimizer__crops_per_epoch=80)
    assert main(['fit', config]) == 0
    log = EventAccumulator(str(tmp_path / 'run' / 'log'), size_guidance={'images': 0})
    log.Reload()
    scalars = {name: [event.value for event in log.Scalars(name)] for name
               in log.Tags()['scalars']}
    assert {'loss', 'loss/stage_1', 'lr', 'images_per_s', 'loss/validation'} <= set(scalars)
    assert len(scalars['loss/validation']) == len(scalars['validation/AP']) == 2
    assert scalars['loss/validation'][1] < scalars['loss/validation'][0]
    assert scalars['loss'] == pytest.approx(scalars['loss/stage_1'])
    assert min(scalars['images_per_s']) > 0
    assert set(log.Tags()['images']) == {'crop_1', 'crop_2'}
    images = log.Images('crop_1')
    assert len(images) == 2 and images[0].width > 3 * 64
    error = capfd.readouterr().err
    lines = [line.split(':')[0] for line in error.splitlines()]
    assert lines == ['epoch 1/4', 'epoch 2/4', 'epoch 2', 'epoch 3/4', 'epoch 4/4', 'epoch 4']
    assert 'validation ' in error.splitlines()[1] and ' AP 0.' in error.splitlines()[2]


def test_validation_is_of_the_same_crops_each_time(tmp_path, data, capfd):
    values = {'optimizer__lr': 1e-30, 'optimizer__ema_decay': 0., 'optimizer__norm': 'frozen',
              'data__val': [{'path': data}], 'data__val_crops': 6}
    assert main(['fit', write_run(tmp_path, data, **values)]) == 0
    losses = [line.split('validation ')[1].split(',')[0]
              for line in capfd.readouterr().err.splitlines()]
    assert len(losses) == 2 and losses[0] == losses[1]


def test_settings_of_the_figures_are_those_of_a_run(data, tmp_path):
    # Guards the tests above against a key that is set and not read.
    assert set(run_data(tmp_path, data)) <= set(pose_training.fitting.settings.RunConfig._fields)
