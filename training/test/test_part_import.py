# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of DeeperCut and snapshots of DeepLabCut, from the file to the exported maps."""
from deepercut_files import (assert_close, CFG, evaluate, IMAGE, maps_of, MEANS,
                             random_variables, write)
import numpy as np
import pytest
from scipy.io import savemat
import torch
from torch import nn

from pose_ros.core.card_files import load_card
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import ConfigError, WeightsError
from pose_training.importers.formats import import_network
from pose_training.importers.pose_cfg import cfg_topology, PEOPLE_14
from pose_training.importers.spatial_models import read_tables
from pose_training.models.pair_tables import ordered


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


def test_files_of_other_networks_are_named(tmp_path):
    variables = random_variables(14)
    path = write(tmp_path / 'a', variables, {**CFG, 'net_type': 'resnet_101'})
    with pytest.raises(WeightsError, match='of the network type resnet_101'):
        import_network('deepercut', path, 'part_detector_r50')
    path = write(tmp_path / 'b', variables, {**CFG, 'dataset_type': 'default'})
    with pytest.raises(ConfigError, match='has 14 keypoints, and pose_cfg.yaml names 0'):
        import_network('deepercut', path, 'part_detector_r50')
    path = write(tmp_path / 'c', variables)
    with pytest.raises(WeightsError, match='has no pairwise terms'):
        import_network('deepercut', path, 'part_pairwise_r50', pairwise=str(tmp_path))
    with pytest.raises(WeightsError, match='is a network of PyTorch'):
        import_network('deeplabcut', path + '.index', 'deeplabcut_r50')
    path = write(tmp_path / 'd', {'resnet_v1_50/logits/weights': np.zeros((1, 1, 8, 3), 'f')})
    with pytest.raises(WeightsError, match='no first layer of a ResNet'):
        import_network('deepercut', path, 'part_detector_r50')
    with pytest.raises(WeightsError, match='no snapshot-'):
        import_network('deeplabcut', str(tmp_path), 'deeplabcut_r50')


@pytest.mark.parametrize('change, words', [
    (lambda folder: (folder / 'pairwise_stats.mat').unlink(), 'cannot read'),
    (lambda folder: write_pairs(folder, 4), 'is not of 3 keypoints'),
    (lambda folder: (folder / 'spatial_model_cidx_2_3.mat').unlink(), 'no spatial model'),
    (lambda folder: (folder / 'spatial_model_cidx_1_9.mat').write_bytes(b''),
     'not of two of 3 keypoints'),
    (lambda folder: savemat(str(folder / 'spatial_model_cidx_1_2.mat'), {'spatial_model': 3}),
     'is no spatial model'),
    (lambda folder: savemat(str(folder / 'pairwise_stats.mat'), {
        'graph': np.zeros((6, 2)), 'means': np.ones((6, 2)), 'std_devs': np.ones((6, 2))}),
     'is not of 3 keypoints')])
def test_invalid_files_of_pairs_are_named(tmp_path, change, words):
    write_pairs(tmp_path, 3)
    change(tmp_path)
    with pytest.raises(WeightsError, match=words):
        read_tables(str(tmp_path), 3, needed=[[0, 1], [1, 2]])


def test_names_of_groups_are_right_and_left():
    cfg = {'all_joints': [[1, 0], [2]], 'all_joints_names': ['ear', 'tail']}
    assert cfg_topology(cfg, {}, 3, 'a test').keypoint_names == ('left_ear', 'right_ear', 'tail')
    assert cfg_topology({}, {}, 14, 'a test') == PEOPLE_14
