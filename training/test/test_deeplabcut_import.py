# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Projects and snapshots of DeepLabCut, from the file to the exported maps."""
import shutil

from deepercut_files import assert_close, evaluate, IMAGE, maps_of, random_variables, write
from deeplabcut_files import TimmNet, write_project
import numpy as np
import pytest
import torch
import yaml

from pose_ros.core.card_files import load_card
from pose_training.cli.main import main
from pose_training.errors import WeightsError
from pose_training.importers.formats import import_network


def test_a_classifier_of_pytorch_is_a_start(tmp_path):
    state = {name[len('backbone.model.'):]: value for name, value in TimmNet(3, 0).state.items()
             if name.startswith('backbone')}
    path = str(tmp_path / 'resnet50.pth')
    torch.save({**state, 'fc.weight': torch.zeros(10, 1024), 'fc.bias': torch.zeros(10)}, path)
    network, provenance = import_network('deeplabcut', path, 'deeplabcut_r50')
    assert network.recipe.options['groups'] == 0 and provenance['backbone']['network'] == 'ResNet'
    for name in ('layer3.5.conv2.weight', 'layer2.0.downsample.1.running_var'):
        assert torch.equal(network.trunk.state_dict()[name], state[name])
    with pytest.raises(WeightsError, match='with which deeplabcut_r50'):
        import_network('deeplabcut', path, 'part_detector_r50')


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


def test_snapshots_of_other_kinds_are_named(tmp_path):
    original = TimmNet(3, 0, width=.125)
    for number, (changes, words) in enumerate((
            ({'type': 'HRNet', 'model_name': 'hrnet_w32'}, 'HRNet hrnet_w32, not a ResNet'),
            ({'output_stride': 32}, 'is 32, not 16'))):
        project = write_project(tmp_path / str(number), original, ('a', 'b', 'c'), **changes)
        with pytest.raises(WeightsError, match=words):
            import_network('deeplabcut', str(project), 'deeplabcut_r50')
    project = write_project(tmp_path / 'two', original, ('a', 'b'))
    with pytest.raises(WeightsError, match='has 3 score maps, and .* has 2 bodyparts'):
        import_network('deeplabcut', str(project), 'deeplabcut_r50')
    shutil.copytree(str(project / 'dlc-models-pytorch' / 'iteration-0'),
                    str(project / 'dlc-models-pytorch' / 'iteration-0' / 'other'))
    with pytest.raises(WeightsError, match='has 2 folders of snapshots'):
        import_network('deeplabcut', str(project), 'deeplabcut_r50')
