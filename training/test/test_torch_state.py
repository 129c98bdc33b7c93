# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch weight files, written here under every published naming."""
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pose_training.checkpoint import checkpoint_data, save_checkpoint
from pose_training.errors import WeightsError
from pose_training.importers.formats import import_network
from pose_training.importers.matching import load_weights
from pose_training.importers.torch_state import read_weights
from pose_training.models import create_model, get_spec

NEW, OLD = True, False  # torch.save's zip files, and those of PyTorch before 1.6
VGG = (('conv1_1', 64), ('conv1_2', 64), ('conv2_1', 128), ('conv2_2', 128), ('conv3_1', 256),
       ('conv3_2', 256), ('conv3_3', 256), ('conv3_4', 256), ('conv4_1', 512), ('conv4_2', 512))


def body_layers(stages=6):
    """List (Caffe's name, TreB1eN's, Hzzone's, shape of the weights) of the COCO network."""
    rows, inputs = [], 3
    for name, outputs in VGG + (('conv4_3_CPM', 256), ('conv4_4_CPM', 128)):
        base = 'base.' if name.endswith('CPM') else 'base.vgg_base.'
        rows.append((name, base + name, 'model0.' + name, (outputs, inputs, 3, 3)))
        inputs = outputs
    for branch, maps in (('1', 38), ('2', 19)):
        inputs = 128
        for number, (outputs, kernel) in enumerate([(128, 3)] * 3 + [(512, 1), (maps, 1)], 1):
            name = 'conv5_{}_CPM_L{}'.format(number, branch)
            rows.append((name, 'stage_1.conv{}_CPM_L{}'.format(number, branch),
                         'model1_{}.{}'.format(branch, name), (outputs, inputs, kernel, kernel)))
            inputs = outputs
        for stage in range(2, stages + 1):
            inputs = 185
            for number in range(1, 8):
                outputs, kernel = maps if number == 7 else 128, 7 if number < 6 else 1
                name = 'Mconv{}_stage{}_L{}'.format(number, stage, branch)
                rows.append((name, 'stage_{}.conv{}_L{}'.format(stage, number, branch),
                             'model{}_{}.{}'.format(stage, branch, name),
                             (outputs, inputs, kernel, kernel)))
                inputs = outputs
    return rows


def hand_layers():
    """List the same of the hand network; TreB1eN's file has Caffe's names."""
    rows, inputs = [], 3
    for name, outputs in VGG + (('conv4_3', 512), ('conv4_4', 512), ('conv5_1', 512),
                                ('conv5_2', 512), ('conv5_3_CPM', 128)):
        rows.append((name, name, 'model1_0.' + name, (outputs, inputs, 3, 3)))
        inputs = outputs
    rows.append(('conv6_1_CPM', 'conv6_1_CPM', 'model1_1.conv6_1_CPM', (512, 128, 1, 1)))
    rows.append(('conv6_2_CPM', 'conv6_2_CPM', 'model1_1.conv6_2_CPM', (22, 512, 1, 1)))
    for stage in range(2, 7):
        inputs = 150
        for number in range(1, 8):
            outputs, kernel = 22 if number == 7 else 128, 7 if number < 6 else 1
            name = 'Mconv{}_stage{}'.format(number, stage)
            rows.append((name, name, 'model{}.{}'.format(stage, name),
                         (outputs, inputs, kernel, kernel)))
            inputs = outputs
    return rows


def constants(rows, column, prefix=''):
    """Return a state dict whose n-th layer holds n everywhere, and minus n as bias."""
    state = {}
    for number, row in enumerate(rows, 1):
        shape = row[3]
        name = prefix + row[column]
        state[name + '.weight'] = torch.full((1, 1, 1, 1), float(number)).expand(shape)
        state[name + '.bias'] = torch.full((1,), -float(number)).expand(shape[:1])
    return state


def write(path, data, new=NEW):
    torch.save(data, str(path), _use_new_zipfile_serialization=new)
    return str(path)


@pytest.mark.parametrize('model, rows, column, prefix, new', [
    ('cmu', body_layers(), 0, '', NEW), ('cmu', body_layers(), 1, '', OLD),
    ('cmu', body_layers(), 1, 'module.', NEW), ('cmu', body_layers(), 2, '', OLD),
    ('hand', hand_layers(), 0, '', OLD), ('hand', hand_layers(), 2, '', NEW)])
def test_every_naming_becomes_that_of_the_network(tmp_path, model, rows, column, prefix, new):
    path = write(tmp_path / 'pose.pth', constants(rows, column, prefix), new)
    tensors = read_weights(path, get_spec(model)).tensors
    with torch.device('meta'):
        wanted = {name: tuple(value.shape)
                  for name, value in create_model(model).state_dict().items()}
    assert {name: value.shape for name, value in tensors.items()} == wanted
    for number, (name, _, _, _) in enumerate(rows, 1):
        assert tensors[name + '.weight'].flat[0] == number
        assert tensors[name + '.bias'].flat[0] == -number


def two_stages(state, image):
    """Evaluate TreB1eN's network as its own module tree does; returns PAFs and heatmaps."""
    def layer(x, name, relu=True):
        weight = state[name + '.weight']
        x = F.conv2d(x, weight, state[name + '.bias'], padding=weight.shape[-1] // 2)
        return F.relu(x) if relu else x

    def branch(x, names):
        for name in names[:-1]:
            x = layer(x, name)
        return layer(x, names[-1], relu=False)

    x = image
    for name, _ in VGG:
        x = layer(x, 'base.vgg_base.' + name)
        if name in ('conv1_2', 'conv2_2', 'conv3_4'):
            x = F.max_pool2d(x, 2)
    features = layer(layer(x, 'base.conv4_3_CPM'), 'base.conv4_4_CPM')
    first = [branch(features, ['stage_1.conv{}_CPM_L{}'.format(number, part)
                               for number in range(1, 6)]) for part in (1, 2)]
    second = torch.cat(first + [features], 1)
    return [branch(second, ['stage_2.conv{}_L{}'.format(number, part)
                            for number in range(1, 8)]) for part in (1, 2)]


@torch.no_grad()
def test_an_imported_network_predicts_what_the_other_one_did(tmp_path):
    state = {}
    for _, name, _, shape in body_layers(2):
        state[name + '.weight'] = torch.randn(shape) * (2. / np.prod(shape[1:])) ** .5
        state[name + '.bias'] = torch.randn(shape[0]) * .1
    path = write(tmp_path / 'posenet.pth', state, OLD)
    network = create_model('cmu', stages=2)
    load_weights(network, read_weights(path, get_spec('cmu')), path)
    image = torch.randn(1, 3, 16, 24)
    pafs, heatmaps = two_stages(state, image)
    maps = network(image)[-1]
    assert pafs.abs().max() > .1 and pafs.shape == (1, 38, 2, 3)
    torch.testing.assert_close(maps['pafs'], pafs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(maps['heatmaps'], heatmaps, rtol=1e-4, atol=1e-4)


def test_a_backbone_without_the_network_is_an_error(tmp_path):
    rows = [(name, name, name, (64, 3, 3, 3)) for name, _ in VGG]
    path = write(tmp_path / 'pretrained_vgg_base.pth', constants(rows, 0))
    with pytest.raises(WeightsError, match=r'missing \(\d+\): conv4_3_CPM.weight'):
        import_network('torch', path, 'cmu')


def training_checkpoint(network, prefix=''):
    """Return what a training loop saves with a network: also the state of all else."""
    state = {prefix + name: value for name, value in network.state_dict().items()}
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-5)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [100000, 200000])
    return {'state_dict': state, 'optimizer': optimizer.state_dict(),
            'scheduler': scheduler.state_dict(), 'iter': 370000, 'current_epoch': 279}


@pytest.mark.parametrize('prefix, new', [('', OLD), ('module.', NEW)])
@torch.no_grad()
def test_a_training_checkpoint_of_lightweight_openpose(tmp_path, prefix, new):
    published = create_model('lightweight_openpose_3').eval()
    path = write(tmp_path / 'checkpoint_iter_370000.pth',
                 training_checkpoint(published, prefix), new)
    names = set(read_weights(path, get_spec('lightweight_openpose')).tensors)
    assert {'model.0.0.weight', 'model.11.4.running_var', 'cpm.align.0.bias',
            'initial_stage.heatmaps.1.0.bias',
            'refinement_stages.2.trunk.4.trunk.1.1.weight'} <= names
    assert not [name for name in names if name.endswith('num_batches_tracked')]
    network, provenance = import_network('torch', path, 'lightweight_openpose')
    image = torch.randn(1, 3, 32, 32)
    assert torch.equal(network(image)[-1]['pafs'], published(image)[1]['pafs'])
    assert provenance['weights'] == 'checkpoint_iter_370000.pth'


@pytest.mark.parametrize('new', [NEW, OLD])
@torch.no_grad()
def test_a_file_of_trt_pose_with_the_classifier_that_nothing_uses(tmp_path, new):
    published = create_model('trt_pose_resnet18_att').eval()
    state = published.state_dict()
    state['0.resnet.fc.weight'] = torch.ones(1000, 512)
    state['0.resnet.fc.bias'] = torch.ones(1000)
    counted = [value.numel() for name, value in state.items()
               if not name.endswith(('running_mean', 'running_var', 'num_batches_tracked'))]
    assert sum(counted) == 21278308
    path = write(tmp_path / 'resnet18_baseline_att_224x224_A_epoch_249.pth', state, new)
    network, _ = import_network('torch', path, 'trt_pose_resnet18_att')
    image = torch.randn(1, 3, 32, 32)
    wanted = published(image)[0]
    assert all(torch.equal(found, wanted[name]) for name, found in network(image)[0].items())
    with pytest.raises(WeightsError, match='1.cmap_conv.0.0.weight.*not part of the network'):
        import_network('torch', path, 'trt_pose_resnet18')


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_float32(tmp_path, dtype):
    values = torch.tensor([.5, -1.25, 3.], dtype=dtype)
    path = write(tmp_path / 'half.pth', {'a.weight': torch.nn.Parameter(values)})
    array = read_weights(path, get_spec('cmu')).tensors['a.weight']
    assert array.dtype == np.float32 and array.tolist() == [.5, -1.25, 3.]


def test_a_checkpoint_of_our_own_demands_its_options(tmp_path):
    network = create_model('trt_pose_resnet18', 'coco_17', attention=True)
    path = str(tmp_path / 'own.pt')
    save_checkpoint(path, network)
    weights = read_weights(path, get_spec('trt_pose_resnet18'))
    assert weights.options == {'topology': 'coco_17', 'attention': True, 'backbone': 'resnet18'}
    again = create_model('trt_pose_resnet18', **weights.options)
    load_weights(again, weights, path)
    assert torch.equal(again.state_dict()['1.paf_att.weight'],
                       network.state_dict()['1.paf_att.weight'])
    with pytest.raises(WeightsError, match='checkpoint of trt_pose_resnet18, not of cmu'):
        read_weights(path, get_spec('cmu'))


def test_a_checkpoint_of_our_own_inside_that_of_a_trainer(tmp_path):
    network = create_model('repvgg_fpn', stages=1)
    path = write(tmp_path / 'last.ckpt', {'epoch': 3, 'state_dict': {'net.a': torch.ones(1)},
                                          'pose_training': checkpoint_data(network)})
    weights = read_weights(path, get_spec('repvgg_fpn'))
    assert weights.options['stages'] == 1
    load_weights(create_model('repvgg_fpn', **weights.options), weights, path)
