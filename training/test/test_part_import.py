# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of DeeperCut and snapshots of DeepLabCut, from the file to the exported maps."""
import json
import shutil

from deepercut_files import evaluate, MEANS, random_variables
import numpy as np
import pytest
from scipy.io import savemat
from tf_tables import write_checkpoint
import torch
from torch import nn
from torch.nn import functional
import yaml

from pose_ros.cli.main import main as robot
from pose_ros.core.card_files import load_card
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import ConfigError, WeightsError
from pose_training.importers.formats import import_network
from pose_training.importers.pose_cfg import cfg_topology, PEOPLE_14
from pose_training.models.pair_tables import ordered

IMAGE = np.random.default_rng(1).uniform(0, 255, (48, 64, 3))
CFG = {'dataset_type': 'mpii', 'net_type': 'resnet_50', 'locref_stdev': 7.2801,
       'global_scale': .85}


def write(folder, variables, cfg=None, name='snapshot-1000'):
    """Write a checkpoint with a pose_cfg.yaml beside it; return its prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    if cfg is not None:
        (folder / 'pose_cfg.yaml').write_text(yaml.safe_dump(cfg))
    more = {'global_step': np.zeros((), np.int64),
            'resnet_v1_50/conv1/weights/Momentum': np.zeros((7, 7, 3, 8), np.float32)}
    return str(write_checkpoint(folder / name, {**variables, **more}))


def maps_of(network, image=IMAGE):
    """Return the maps (h, w, C) of the last stage for an image (H, W, 3) RGB."""
    inputs = torch.from_numpy((image - MEANS).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        return {name: maps[0].permute(1, 2, 0).numpy() for name, maps
                in network(inputs)[-1].items() if maps.ndim == 4}


def assert_close(found, wanted):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_a_checkpoint_of_one_person(tmp_path):
    variables = random_variables(14)
    path = write(tmp_path / 'mpii', variables, CFG)
    network, provenance = import_network('deepercut', path, 'part_detector_r50')
    wanted = evaluate(variables, IMAGE)
    found = maps_of(network)
    assert_close(found['scores'], wanted['part_pred'])
    assert_close(found['offsets'], wanted['locref_pred'])
    assert network.family.topology == PEOPLE_14 and provenance['global_scale'] == .85
    assert network.recipe.options['width'] == .125
    path = str(tmp_path / 'mpii.onnx')
    assert main(['import', 'deepercut', str(tmp_path / 'mpii' / 'snapshot-1000.index'), '--model',
                 'part_detector_r50', '-o', path, '--size', '64x48']) == 0
    assert load_card(path).decoder.outputs['scores'] == 'scores'


def test_refinements_of_another_unit_and_none(tmp_path):
    variables = random_variables(14)
    path = write(tmp_path, variables, {**CFG, 'locref_stdev': 2 * 7.2801})
    network, _ = import_network('deepercut', path, 'part_detector_r50')
    assert_close(maps_of(network)['offsets'], 2 * evaluate(variables, IMAGE)['locref_pred'])
    path = write(tmp_path, random_variables(14, {'part_pred': 14}), CFG)
    network, _ = import_network('deepercut', path, 'part_detector_r50')
    assert maps_of(network)['offsets'].shape == (6, 8, 28) and not maps_of(
        network)['offsets'].any()


def test_the_intermediate_supervision(tmp_path):
    heads = {'part_pred': 14, 'locref_pred': 28, 'intermediate_supervision': 14}
    variables = random_variables(14, heads)
    path = write(tmp_path, variables, {**CFG, 'intermediate_supervision_layer': 4})
    network, _ = import_network('deepercut', path, 'part_detector_r50')
    assert network.recipe.options['intermediate'] == 4
    inputs = torch.from_numpy((IMAGE - MEANS).transpose(2, 0, 1)[None].astype(np.float32))
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with torch.no_grad():
        early = network(inputs)[0]['scores'][0].permute(1, 2, 0).numpy()
    assert_close(early, evaluate(variables, IMAGE, supervised=4)['intermediate_supervision'])


def write_pairs(folder, keypoints, first=0, seed=0, models=((0, 1), (1, 2))):
    """Write pairwise_stats.mat in a random order of pairs, and spatial models; return facts."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    graph = np.array([(a, b) for a in range(keypoints) for b in range(keypoints) if a != b])
    graph = random.permutation(graph)
    means, deviations = random.normal(0, 40, (len(graph), 2)), random.uniform(5, 30, (
        len(graph), 2))
    savemat(str(folder / 'pairwise_stats.mat'), {
        'graph': graph + first, 'means': means, 'std_devs': deviations})
    written = {}
    for a, b in models:
        model = {'X_min': random.uniform(0, 1, (1, 8)), 'X_max': random.uniform(2, 9, (1, 8)),
                 'w': random.normal(0, 1, (9, 1))}
        savemat(str(folder / 'spatial_model_cidx_{}_{}.mat'.format(a + 1, b + 1)), {
            'spatial_model': {'training_opts': {'X_min': model['X_min'], 'X_max': model['X_max']},
                              'log_reg': {'w': model['w']}}})
        written[a, b] = model
    return graph, means, deviations, written


@pytest.mark.parametrize('tensorflow_order', [True, False])
def test_a_checkpoint_of_several_people(tmp_path, tensorflow_order):
    heads = {'part_pred': 3, 'locref_pred': 6, 'pairwise_pred': 12}
    variables = random_variables(3, heads)
    graph, means, deviations, models = write_pairs(tmp_path / 'pairs', 3,
                                                   first=0 if tensorflow_order else 1)
    cfg = {'all_joints': [[0], [2, 1]], 'all_joints_names': ['nose', 'ear'], 'global_scale': .5,
           'tensorflow_pairwise_order': tensorflow_order, 'sparse_graph': [[0, 1], [1, 2]]}
    path = write(tmp_path / 'coco', variables, cfg)
    network, _ = import_network('deepercut', path, 'part_pairwise_r50',
                                pairwise=str(tmp_path / 'pairs'))
    assert network.family.topology.keypoint_names == ('nose', 'left_ear', 'right_ear')
    found, wanted = maps_of(network)['pairwise'], evaluate(variables, IMAGE)['pairwise_pred']
    facts = network.card_facts()
    for row, (a, b) in enumerate(graph):
        pair = ordered(a, b, 3)
        there = pair if tensorflow_order else row
        assert_close(found[..., 2 * pair:2 * pair + 2], wanted[..., 2 * there:2 * there + 2])
        assert facts['pairwise_mean'][pair] == pytest.approx(.5 * means[row], rel=1e-5)
        assert facts['pairwise_std'][pair] == pytest.approx(.5 * deviations[row], rel=1e-5)
    assert [tuple(pair['keypoints']) for pair in facts['pairs']] == sorted(models)
    for pair in facts['pairs']:
        model = models[tuple(pair['keypoints'])]
        for key, name in (('low', 'X_min'), ('high', 'X_max'), ('weights', 'w')):
            assert pair[key] == pytest.approx(model[name].ravel(), rel=1e-5)
    model = str(tmp_path / 'coco.onnx')
    assert main(['import', 'deepercut', path, '--model', 'part_pairwise_r50', '--pairwise',
                 str(tmp_path / 'pairs'), '-o', model, '--size', '64x48']) == 0
    assert load_card(model).decoder.outputs['pairs'] == facts['pairs']


def test_a_classifier_is_a_start_for_any_skeleton(tmp_path):
    variables = random_variables(0, {})
    path, start = write(tmp_path, variables), str(tmp_path / 'start.pt')
    assert main(['import', 'deepercut', path, '--model', 'part_detector_r50', '-o', start]) == 0
    network, provenance = load_checkpoint(start)
    assert provenance['backbone']['trained_on'] == 'ImageNet'
    kernel = variables['resnet_v1_50/conv1/weights'].transpose(3, 2, 0, 1)
    assert np.array_equal(network.trunk.root.conv1.weight.detach().numpy(), kernel)


class TimmNet:
    """A ResNet-50 of timm and the head of DeepLabCut 3, by their definitions."""

    def __init__(self, keypoints, groups, width=.5, seed=0):
        self.random, self.groups, self.state = np.random.default_rng(seed), groups, {}
        narrow = [int(width * channels) for channels in (64, 128, 256, 512)]
        self._layer('conv1', 'bn1', 7, 3, narrow[0])
        channels = narrow[0]
        self.plan = []
        for level, (inner, units) in enumerate(zip(narrow, (3, 4, 6, 3)), 1):
            for unit in range(units):
                name = 'layer{}.{}.'.format(level, unit)
                for k, (kernel, a, b) in enumerate(((1, channels, inner), (3, inner, inner),
                                                    (1, inner, 4 * inner)), 1):
                    self._layer('{}conv{}'.format(name, k), '{}bn{}'.format(name, k), kernel, a, b)
                if unit == 0:
                    self._layer(name + 'downsample.0', name + 'downsample.1', 1, channels,
                                4 * inner)
                stride = 2 if unit == 0 and level in (2, 3) else 1
                self.plan.append((name, stride, 2 if level == 4 and unit else 1, unit == 0))
                channels = 4 * inner
        for head, outputs in (('heatmap_head', keypoints), ('locref_head', 2 * keypoints)):
            at = 'heads.bodypart.{}.deconv_layers.0.'.format(head)
            self._set(at + 'weight', self.random.normal(0, .02, (channels, outputs, 3, 3)))
            self._set(at + 'bias', self.random.normal(0, .1, outputs))

    def _set(self, name, array):
        self.state[name] = torch.from_numpy(np.asarray(array, np.float32))

    def _layer(self, name, norm, kernel, inputs, outputs):
        at = 'backbone.model.'
        self._set(at + name + '.weight', self.random.normal(
            0, (2 / (kernel ** 2 * inputs)) ** .5, (outputs, inputs, kernel, kernel)))
        self._set('{}{}.weight'.format(at, norm), self.random.uniform(.5, 1, outputs))
        self._set('{}{}.bias'.format(at, norm), self.random.uniform(-.2, .2, outputs))
        if not self.groups:
            self._set('{}{}.running_mean'.format(at, norm), self.random.normal(0, .1, outputs))
            self._set('{}{}.running_var'.format(at, norm), self.random.uniform(.5, 2, outputs))
            self.state['{}{}.num_batches_tracked'.format(at, norm)] = torch.tensor(7)

    def _normed(self, x, name, norm, **options):
        at = 'backbone.model.'
        x = functional.conv2d(x, self.state[at + name + '.weight'], **options)
        weight, bias = (self.state['{}{}.{}'.format(at, norm, part)] for part in (
            'weight', 'bias'))
        if self.groups:
            return functional.group_norm(x, self.groups, weight, bias)
        mean, variance = (self.state['{}{}.running_{}'.format(at, norm, part)] for part in (
            'mean', 'var'))
        return functional.batch_norm(x, mean, variance, weight, bias)

    def __call__(self, image):
        """Return score maps and refinements (h, w, C) of an image (H, W, 3) RGB in 0..255."""
        x = torch.from_numpy(((image / 255 - (.485, .456, .406)) / (.229, .224, .225)).transpose(
            2, 0, 1)[None].astype(np.float32))
        x = functional.relu(self._normed(x, 'conv1', 'bn1', stride=2, padding=3))
        x = functional.max_pool2d(x, 3, 2, 1)
        for name, stride, rate, first in self.plan:
            y = functional.relu(self._normed(x, name + 'conv1', name + 'bn1'))
            y = functional.relu(self._normed(y, name + 'conv2', name + 'bn2', stride=stride,
                                             padding=rate, dilation=rate))
            y = self._normed(y, name + 'conv3', name + 'bn3')
            if first:
                x = self._normed(x, name + 'downsample.0', name + 'downsample.1', stride=stride)
            x = functional.relu(x + y)
        return [functional.conv_transpose2d(
            x, self.state['heads.bodypart.{}.deconv_layers.0.weight'.format(head)],
            self.state['heads.bodypart.{}.deconv_layers.0.bias'.format(head)], 2)[0].permute(
                1, 2, 0).numpy() for head in ('heatmap_head', 'locref_head')]


def write_project(folder, original, names, shuffle='LizardMay1-trainset95shuffle1', **changes):
    """Write a DeepLabCut 3 project with two snapshots; return its folder."""
    place = folder / 'dlc-models-pytorch' / 'iteration-0' / shuffle / 'train'
    place.mkdir(parents=True)
    (folder / 'config.yaml').write_text(yaml.safe_dump({
        'Task': 'lizard', 'bodyparts': list(names), 'iteration': 0,
        'skeleton': [['nose', 'tail tip'], ['tail tip', 'nose'], ['nose', 'gone']]}))
    maps = {'kernel_size': [3], 'strides': [2]}
    config = {
        'metadata': {'bodyparts': list(names)}, 'method': 'bu', 'net_type': 'resnet_50',
        'model': {'backbone': {'type': 'ResNet', 'output_stride': 16, 'model_name': 'resnet50_gn'
                               if original.groups else 'resnet50', **changes},
                  'heads': {'bodypart': {
                      'type': 'HeatmapHead', 'heatmap_config': maps, 'locref_config': maps,
                      'predictor': {'type': 'HeatmapPredictor', 'apply_sigmoid': False,
                                    'clip_scores': True, 'locref_std': 7.2801}}}}}
    (place / 'pytorch_config.yaml').write_text(json.dumps(config))  # JSON is YAML
    data = {'metadata': {'epoch': 200, 'metrics': {'test.rmse': 3.5}, 'losses': {}},
            'model': original.state}
    torch.save({**data, 'model': {}}, str(place / 'snapshot-200.pt'))
    torch.save(data, str(place / 'snapshot-best-150.pt'))
    return folder


@pytest.mark.parametrize('groups', [32, 0])
def test_a_project_of_pytorch(tmp_path, groups):
    original = TimmNet(3, groups)
    project = write_project(tmp_path / 'lizard', original, ('nose', 'L-paw', 'tail tip'))
    network, _ = import_network('deeplabcut', str(project), 'deeplabcut_r50')
    topology = network.family.topology
    assert (topology.name, topology.keypoint_names, topology.limbs) == (
        'lizard', ('nose', 'left_paw', 'tail_tip'), ((0, 2),))
    wanted, image = original(IMAGE), IMAGE / 255
    inputs = ((image - (.485, .456, .406)) / (.229, .224, .225)).transpose(2, 0, 1)[None]
    with torch.no_grad():
        found = network(torch.from_numpy(inputs.astype(np.float32)))[-1]
    for name, maps in zip(('scores', 'offsets'), wanted):
        assert_close(found[name][0].permute(1, 2, 0).numpy(), maps[:-1, :-1])
    if groups:
        return
    model = str(tmp_path / 'lizard.onnx')
    assert main(['import', 'deeplabcut', str(project), '--model', 'deeplabcut_r50', '-o', model,
                 '--size', '64x48']) == 0
    assert load_card(model).decoder.outputs['score_kind'] == 'probability'


def test_a_project_of_tensorflow(tmp_path):
    place = tmp_path / 'dlc-models' / 'iteration-1' / 'ReachMay1-trainset95shuffle1' / 'train'
    (tmp_path / 'config.yaml').write_text(yaml.safe_dump({
        'Task': 'Reaching', 'iteration': 1, 'bodyparts': ['Hand', 'Tongue'],
        'skeleton': [['Hand', 'Tongue']]}))
    cfg = {'dataset_type': 'imgaug', 'num_joints': 2, 'all_joints': [[0], [1]],
           'all_joints_names': ['Hand', 'Tongue'], 'net_type': 'resnet_50'}
    write(place, random_variables(2, seed=1), cfg, 'snapshot-200')
    variables = random_variables(2, seed=2)
    write(place, variables, cfg, 'snapshot-1000')
    network, _ = import_network('deeplabcut', str(tmp_path), 'part_detector_r50')
    topology = network.family.topology
    assert (topology.name, topology.keypoint_names, topology.limbs) == (
        'reaching', ('hand', 'tongue'), ((0, 1),))
    assert_close(maps_of(network)['scores'], evaluate(variables, IMAGE)['part_pred'])
