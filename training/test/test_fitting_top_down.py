# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of crops and detectors: training memorizes a tiny dataset; a run continues exactly."""
import os
import signal

from figures import CLEAN, measured, write_figures, write_run
import pytest
import torch

from pose_training.cli.main import main
from pose_training.fitting.config import load_config
from pose_training.fitting.fit import fit
from pose_training.fitting.interruption import Interrupted
from pose_training.fitting.module import PoseModule

pytestmark = pytest.mark.fitting

COMMON = {'data__photometric': CLEAN, 'model__topology': '', 'data__variants': 8,
          'optimizer__batch': 8, 'optimizer__ema_decay': .97, 'optimizer__weight_decay': .01}
CROP = {
    **COMMON, 'model__name': 'lite_pose_crop', 'model__options': {'width': .25},
    'data__size': [96, 128], 'data__sigma': 8.,
    'data__person': {'scale': .08, 'aspect': .03, 'shift': .02, 'upright': .9, 'rotation': 5.,
                     'turned': 0., 'any_angle': 0., 'flip': 0., 'half_body': 0., 'patches': 0.},
    'optimizer__foreground_weight': 2., 'optimizer__lr': 6e-3,
    'optimizer__epochs': 10, 'optimizer__crops_per_epoch': 160}
BASELINE = {**CROP, 'model__name': 'lite_simple_baseline', 'model__options': {
    'width': .25, 'deconvolutions': [32, 32, 24]}, 'optimizer__lr': 1e-2, 'optimizer__epochs': 14}
CPM = {  # ReLU after the heatmaps of both stages, 12 x 12 cells
    **CROP, 'model__name': 'cpm_body_slim', 'model__topology': 'coco_17',
    'model__options': {'stages': 2, 'width': .125}, 'data__size': [96, 96], 'data__sigma': 10.,
    'optimizer__lr': 3e-3, 'optimizer__warmup': .1, 'optimizer__stage_weight': 1.,
    'optimizer__epochs': 12}
DETECTOR = {
    **COMMON, 'model__name': 'lite_person_detector', 'model__options': {'width': .25},
    'data__size': [128, 128],
    'data__scene': {'zoom': [.9, 1.2], 'aspect': .02, 'rotated': 0., 'flip': .5, 'mosaic': 0.},
    'optimizer__lr': 4e-3, 'optimizer__grad_clip_norm': 5., 'optimizer__epochs': 10,
    'optimizer__crops_per_epoch': 160}


@pytest.mark.parametrize('settings, least', [(CROP, .9), (BASELINE, .9), (CPM, .55)])
def test_a_network_of_crops_memorizes_a_tiny_dataset(tmp_path, settings, least):
    data = write_figures(tmp_path / 'data', side=128)
    config, model = write_run(tmp_path, data, **settings), str(tmp_path / 'crop.onnx')
    assert main(['fit', config]) == 0
    assert main(['export', str(tmp_path / 'run' / 'network.pt'), '-o', model, '--size',
                 '{}x{}'.format(*settings['data__size']), '--batch', 'dynamic']) == 0
    found = measured(tmp_path, model, data, '--boxes', 'truth')
    assert found['AP'] > least
    assert found['PCK'] > .97 and found['swapped'] == 0
    run = str(tmp_path / 'run')
    last = str(settings['optimizer__epochs'])
    for chosen in ([run], [run, '--epoch', last]):
        again = measured(tmp_path, *chosen[:1], data, '--boxes', 'truth', *chosen[1:])
        assert {name: again[name] for name in ('AP', 'PCK')} == {
            name: found[name] for name in ('AP', 'PCK')}
    early = measured(tmp_path, run, data, '--boxes', 'truth', '--epoch', str(int(last) - 2))
    assert early != again


def test_a_detector_memorizes_a_tiny_dataset(tmp_path):
    data = write_figures(tmp_path / 'data', side=128)
    config, model = write_run(tmp_path, data, **DETECTOR), str(tmp_path / 'detector.onnx')
    assert main(['fit', config]) == 0
    assert main(['export', str(tmp_path / 'run' / 'network.pt'), '-o', model,
                 '--size', '128x128']) == 0
    found = measured(tmp_path, model, data)
    assert found['AP'] > .7 and found['AP50'] > .95
    assert found['found_people'] == found['labelled_people'] == 8


def tiny(settings):
    """Return the settings of a run of 2 epochs of 3 steps that draws of everything."""
    changed = {name: value for name, value in settings.items() if name != 'data__photometric'}
    changed.update(optimizer__epochs=2, optimizer__crops_per_epoch=12, optimizer__batch=4,
                   data__size=[64, 64])
    for group in ('data__person', 'data__scene'):
        changed.pop(group, None)
    return changed


@pytest.mark.parametrize('settings', [CROP, DETECTOR])
def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path, monkeypatch, settings):
    data = write_figures(tmp_path / 'data')
    whole, stopped = (load_config(write_run(tmp_path, data, name + '.yaml',
                                            output=str(tmp_path / name), **tiny(settings)))
                      for name in ('whole', 'stopped'))
    fit(whole)
    original = PoseModule.training_step

    def training_step(self, batch, batch_idx):
        if self.trainer.global_step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, batch_idx)
    with monkeypatch.context() as patched:
        patched.setattr(PoseModule, 'training_step', training_step)
        with pytest.raises(Interrupted, match='after step 4'):
            fit(stopped)
    fit(stopped)
    states = [torch.load(tmp_path / name / 'snapshots' / 'last.ckpt', weights_only=True)
              for name in ('whole', 'stopped')]
    for key in ('state_dict', 'current_model_state'):
        for name, value in states[0][key].items():
            assert torch.equal(states[1][key][name], value), (key, name)
    assert states[0]['global_step'] == states[1]['global_step'] == 6
