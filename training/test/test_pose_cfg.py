# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""pose_cfg.yaml of PoseTF, DeeperCut and DeepLabCut: keys, paths, and a run from any folder."""
import logging

import cv2
from deepercut_files import random_variables
from mat_files import struct
import numpy as np
import pytest
from scipy.io import savemat
from tf_tables import write_checkpoint
import torch
import yaml

import pose_training
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import ConfigError
from pose_training.fitting.config import load_config
from pose_training.fitting.network import make_network
from pose_training.fitting.schedules import lr_factor

CFG = {'dataset': 'dataset.mat', 'dataset_type': 'default', 'num_joints': 3,
       'all_joints': [[0], [1], [2]], 'all_joints_names': ['nose', 'paw', 'tail'],
       'net_type': 'resnet_50', 'init_weights': 'start/resnet_v1_50', 'multi_step': [[.005, 2],
                                                                                     [.02, 3]],
       'save_iters': 2, 'crop_size': [48, 32], 'mirror': True, 'location_refinement': True,
       'global_scale': .8, 'pos_dist_thresh': 17, 'locref_loss_weight': .05,
       'scale_jitter_lo': .5, 'scale_jitter_up': 1.25}


def write(folder, weights=True, **changes):
    """Write a configuration, its dataset and its initial weights; return its path."""
    (folder / 'frames').mkdir(parents=True)
    entries = []
    for number in range(2):
        name = 'frames/{}.png'.format(number)
        cv2.imwrite(str(folder / name), np.full((48, 64, 3), 40 + 80 * number, np.uint8))
        rows = np.empty((1, 1), object)
        rows[0, 0] = np.array([[0, 21, 11], [2, 41, 31]], np.int32)
        entries.append({'image': name, 'size': np.array([[3, 48, 64]]), 'joints': rows})
    savemat(str(folder / 'dataset.mat'), {'dataset': struct(*entries)})
    if weights:
        (folder / 'start').mkdir()
        write_checkpoint(folder / 'start' / 'resnet_v1_50', random_variables(0, {}))
    path = folder / 'pose_cfg.yaml'
    path.write_text(yaml.safe_dump({**CFG, **changes}))
    return str(path)


@pytest.mark.fitting
def test_train_as_in_the_readme_of_posetf(tmp_path, monkeypatch):
    write(tmp_path / 'models')
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    monkeypatch.setenv('POSE_PARAM_PATH', '../models')
    seen = []
    monkeypatch.setattr(torch.cuda, 'set_per_process_memory_fraction',
                        lambda *arguments: seen.append(arguments))
    weights = pose_training.train(
        cfg_filename='pose_cfg.yaml', max_to_keep=None, memfrac=.3, disable_autotune=True,
        changes=['model.options.width=.125', 'data.workers=0', 'accelerator=cpu'])
    folder = tmp_path / 'models' / 'pose_training'
    assert (tmp_path / 'elsewhere' / weights).resolve() == folder / 'run' / 'network.pt'
    network = load_checkpoint(str(folder / 'run' / 'network.pt'))[0]
    topology = network.family.topology
    assert topology.keypoint_names == ('nose', 'paw', 'tail') and topology.name == 'animal'
    # The norms were frozen: they are those of the initial weights.
    start = load_checkpoint(str(folder / 'start.pt'))[0]
    assert torch.equal(network.trunk.root.bn1.running_mean, start.trunk.root.bn1.running_mean)
    assert not torch.equal(network.trunk.root.conv1.weight, start.trunk.root.conv1.weight)
    kept = sorted(path.name for path in (folder / 'run' / 'snapshots').iterdir())
    assert kept == ['epoch_0001.ckpt', 'epoch_0002.ckpt', 'last.ckpt']
    assert not seen  # there is no GPU here
    config = load_config(str(folder / 'run' / 'config.yaml'))
    assert (config.memory_fraction, config.autotune, config.max_to_keep) == (.3, False, 0)


def test_keys_are_understood(tmp_path):
    config = load_config(write(tmp_path / 'a', weights=False, rotation=25, batch_size=4,
                               intermediate_supervision=True, intermediate_supervision_layer=5,
                               weigh_only_present_joints=True), ['data.variants=9'])
    folder = str(tmp_path / 'a' / 'pose_training')
    model, data, learn = config.model, config.data, config.optimizer
    assert (model.name, model.topology, model.options, model.backbone) == (
        'part_detector_r50', 'dataset', {'intermediate': 5}, '')
    assert data.train[0].path == folder + '/labels.json'
    assert not data.train[0].all_visible_keypoints_annotated
    assert data.size == (48, 32) and data.variants == 9
    assert data.crop.scale == (.4, 1.) and data.crop.rotation == 25 and data.crop.flip == .5
    assert data.parts.radius == pytest.approx(13.6) and data.parts.offset_weight == .05
    assert data.photometric.light == 0
    assert (learn.name, learn.norm, learn.batch, learn.crops_per_epoch, learn.epochs) == (
        'sgd', 'batch', 4, 8, 2)
    assert learn.multi_step == ((.005, 2), (.02, 3)) and learn.lr == .005
    assert [lr_factor(learn, step, 4) * learn.lr for step in range(5)] == pytest.approx(
        [.005, .005, .005, .02, .02])
    assert config.output == folder + '/run' and config.max_to_keep == 5


def test_other_kinds(tmp_path):
    coco = tmp_path / 'coco'
    (coco / 'annotations').mkdir(parents=True)
    config = load_config(write(
        tmp_path / 'a', weights=False, dataset=str(coco), dataset_type='coco',
        net_type='resnet_101', pairwise_predict=True, pairwise_loss_weight=.1, optimizer='adam',
        adam_lr=1e-3, apply_prob=.5, coco_only_images_with_people=True))
    assert config.model.name == 'part_pairwise_r101' and config.model.topology == ''
    assert config.data.parts.pairwise_weight == .1 and config.data.photometric.light == .8
    train = config.data.train[0]
    assert train.path == str(coco / 'annotations' / 'person_keypoints_train2014.json')
    assert train.images == str(coco / 'images' / 'train2014') and train.empty_weight == 0
    assert (config.optimizer.name, config.optimizer.schedule, config.optimizer.lr) == (
        'adamw', 'constant', 1e-3)


def test_unknown_keys_and_missing_weights_are_named(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        load_config(write(tmp_path / 'a', weights=False, pos_dist_tresh=9, display_iters=20))
    assert "unknown key 'pos_dist_tresh' is not used; did you mean 'pos_dist_thresh'?" \
        in caplog.text
    assert 'without effect here: display_iters' in caplog.text
    assert "no readable init_weights 'start/resnet_v1_50'" in caplog.text


@pytest.mark.parametrize('changes, words', [
    ({'net_type': 'mobilenet_v2_1.0'}, 'none of resnet_50, resnet_101, resnet_152'),
    ({'stride': 4}, 'the maps of these networks have the stride 8'),
    ({'locref_huber_loss': False}, 'Huber loss'),
    ({'dataset': 'gone.mat'}, "no dataset 'gone.mat'"), ({'dataset': ''}, 'names no `dataset`'),
    ({'multi_step': [[.1]]}, 'multi_step must be'),
    ({'global_scale': 'large'}, 'a value is invalid'), ({'crop_size': 3}, 'a value is invalid'),
    ({'multi_step': []}, 'multi_step is empty'), ({'optimizer': 'lion'}, 'choose sgd or adam')])
def test_impossible_values_are_named(tmp_path, changes, words):
    with pytest.raises(ConfigError, match=words):
        load_config(write(tmp_path / 'a', weights=False, **changes))


def test_the_published_configurations_are_understood(tmp_path, shared, caplog):
    for name, model, steps in (
            ('pose_cfg_models_mpii_train', 'part_detector_r101', 1030000),
            ('pose_cfg_models_coco_train', 'part_pairwise_r101', 1800000)):
        content = yaml.safe_load((shared / 'data' / 'formats' / 'deepercut' / (
            name + '.yaml')).read_text())
        dataset = 'coco' if 'coco' in name else 'dataset.mat'
        path = write(tmp_path / name, weights=False, **{**content, 'dataset': dataset})
        (tmp_path / name / 'coco').mkdir()
        with caplog.at_level(logging.WARNING):
            config = load_config(path)
        assert 'unknown key' not in caplog.text
        assert config.model.name == model and config.model.options == {'intermediate': 12}
        assert config.optimizer.multi_step[-1][1] == steps
        assert config.data.parts.offset_weight == .05 and config.data.crop.flip == .5


def test_a_network_of_another_skeleton_begins_with_a_backbone(tmp_path, caplog):
    from pose_training.checkpoint import save_checkpoint
    from pose_training.fitting.config import build
    from pose_training.fitting.settings import RunConfig
    from pose_training.models import create_model
    torch.manual_seed(1)
    start, path = create_model('lite_bottom_up', width=.25), str(tmp_path / 'start.pt')
    save_checkpoint(path, start)
    (tmp_path / 'dog.yaml').write_text(yaml.safe_dump(
        {'name': 'dog', 'keypoint_names': ['nose', 'tail'], 'limbs': []}))
    settings = {'name': 'lite_part_detector', 'options': {'width': .25}, 'backbone': path,
                'topology': str(tmp_path / 'dog.yaml')}
    with caplog.at_level(logging.INFO):
        network = make_network(build(RunConfig, {'model': settings}, 'a test'))
    assert network.family.topology.name == 'dog' and 'layers begin with' in caplog.text
    for name in ('trunk', 'lateral', 'refine'):
        for own, other in zip(getattr(network, name).parameters(),
                              getattr(start, name).parameters()):
            assert torch.equal(own, other)
    settings.update(name='part_detector_r50', options={'width': .125})
    with pytest.raises(ConfigError, match='has no layer of part_detector_r50'):
        make_network(build(RunConfig, {'model': settings}, 'a test'))


def test_fit_reads_it_too(tmp_path, capsys, monkeypatch):
    write(tmp_path / 'a', weights=False, net_type='vgg')
    monkeypatch.setenv('POSE_PARAM_PATH', str(tmp_path / 'a'))
    assert main(['fit', 'pose_cfg.yaml']) == 1
    assert 'net_type' in capsys.readouterr().err
