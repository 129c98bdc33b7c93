# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of CMU: the outputs of their stages agree with formulas on the weights."""
import io
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional

from pose_ros.core.paf_layouts import map_layout
from pose_training.errors import WeightsError
from pose_training.importers.matching import Weights, load_weights
from pose_training.models import body_25, cmu, hand_face
from pose_training.models.folding import fuse
from pose_training.models.network import Recipe
from pose_training.models.network import named_outputs

SPECS = {spec.name: spec for module in (cmu, body_25, hand_face) for spec in module.NETWORKS}
STAGES = {'cmu': range(1, 7), 'mpi': range(1, 7), 'mpi_faster': range(1, 5),
          'body_25': range(5, 7), 'hand': range(1, 7), 'face': range(1, 7)}


def build(name, meta=False, **options):
    """Build a network as `create_model` does; on the meta device nothing is computed."""
    spec = SPECS[name]
    layout = map_layout(spec.topology)
    with torch.device('meta' if meta else 'cpu'):
        return spec.build(layout.heatmaps, layout.pafs, **{**spec.options, **options}).eval()


def randomised(network):
    """Draw every parameter at random, biases and slopes, too, with activations of order 1."""
    with torch.no_grad():
        for value in network.parameters():
            if value.dim() == 1:
                value.uniform_(-.3, .3)
            else:
                value.normal_(std=(2 / value[0].numel()) ** .5)
    return network


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    """Compute on one thread, which is faster for such small maps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module', params=list(STAGES))
def whole(request):
    """Return (name, network), the network as deep as it gets."""
    torch.manual_seed(1)
    return request.param, randomised(build(request.param))


def make_image(batch=1, height=16, width=24):
    return torch.rand(batch, 3, height, width) - .5


class Oracle:
    """The formulas of the prototxt files, on the weights alone: a list of (heatmaps, PAFs)."""

    def __init__(self, state):
        self.state = state

    def convolved(self, features, *layers):
        for layer in layers:
            weight = self.state[layer + '.weight']
            features = functional.conv2d(
                features, weight, self.state[layer + '.bias'], padding=(weight.shape[2] - 1) // 2)
            slope = self.state.get(layer.replace('conv', 'prelu') + '.weight')
            if slope is not None:
                features = torch.where(features > 0, features, features * slope.view(-1, 1, 1))
            elif not re.match(r'Mconv7|conv5_5_CPM|conv6_2_CPM', layer):
                features = features.clamp(min=0)
        return features

    def backbone(self, image, *last):
        features = self.convolved(image, 'conv1_1', 'conv1_2')
        features = self.convolved(halved(features), 'conv2_1', 'conv2_2')
        features = self.convolved(halved(features), 'conv3_1', 'conv3_2', 'conv3_3', 'conv3_4')
        return self.convolved(halved(features), 'conv4_1', 'conv4_2', *last)

    def wide_stage(self, features, suffix):
        return self.convolved(features, *('Mconv{}_{}'.format(i, suffix) for i in range(1, 8)))

    def cmu(self, image, stages):
        shared = self.backbone(image, 'conv4_3_CPM', 'conv4_4_CPM')
        first = ['conv5_{}_CPM_'.format(number) for number in range(1, 6)]
        pafs, heatmaps = (self.convolved(shared, *(name + branch for name in first))
                          for branch in ('L1', 'L2'))
        found = [(heatmaps, pafs)]
        for stage in range(2, stages + 1):
            joined = torch.cat((pafs, heatmaps, shared), 1)
            pafs = self.wide_stage(joined, 'stage{}_L1'.format(stage))
            heatmaps = self.wide_stage(joined, 'stage{}_L2'.format(stage))
            found.append((heatmaps, pafs))
        return found

    def crop(self, image):
        shared = self.backbone(image, 'conv4_3', 'conv4_4', 'conv5_1', 'conv5_2', 'conv5_3_CPM')
        heatmaps = self.convolved(shared, 'conv6_1_CPM', 'conv6_2_CPM')
        found = [(heatmaps, None)]
        for stage in range(2, 7):
            heatmaps = self.wide_stage(torch.cat((heatmaps, shared), 1), 'stage{}'.format(stage))
            found.append((heatmaps, None))
        return found

    def dense_stage(self, features, suffix):
        for block in range(1, 6):
            names = ['Mconv{}_{}_{}'.format(block, suffix, part) for part in range(3)]
            first = self.convolved(features, names[0])
            second = self.convolved(first, names[1])
            features = torch.cat((first, second, self.convolved(second, names[2])), 1)
        return self.convolved(features, 'Mconv6_' + suffix, 'Mconv7_' + suffix)

    def body_25(self, image):
        shared = self.backbone(image, 'conv4_3_CPM', 'conv4_4_CPM')
        pafs = [self.dense_stage(shared, 'stage0_L2')]
        for stage in (1, 2, 3):
            joined = torch.cat((shared, pafs[-1]), 1)
            pafs.append(self.dense_stage(joined, 'stage{}_L2'.format(stage)))
        early = self.dense_stage(torch.cat((shared, pafs[3]), 1), 'stage0_L1')
        late = self.dense_stage(torch.cat((shared, early, pafs[3]), 1), 'stage1_L1')
        return [(None, paf) for paf in pafs] + [(early, pafs[3]), (late, pafs[3])]

    def __call__(self, name, image):
        if name == 'body_25':
            return self.body_25(image)
        if name in ('hand', 'face'):
            return self.crop(image)
        return self.cmu(image, 4 if name == 'mpi_faster' else 6)


def halved(features):
    """Return the maximum of each 2x2 square."""
    batch, channels, height, width = features.shape
    return features.reshape(batch, channels, height // 2, 2, width // 2, 2).amax((3, 5))


def assert_same(found, expected, tolerance=1e-4):
    """Compare lists of (heatmaps, PAFs), relative to the largest value of each map."""
    assert len(found) == len(expected)
    for maps, wanted in zip(found, expected):
        if not isinstance(wanted, dict):
            wanted = named_outputs(heatmaps=wanted[0], pafs=wanted[1])
        assert maps.keys() == wanted.keys()
        for name, target in wanted.items():
            assert maps[name].shape == target.shape
            assert target.std() > .01
            assert (maps[name] - target).abs().max() <= tolerance * target.abs().max()


def test_every_stage_agrees_with_the_layer_tables(whole):
    name, network = whole
    image = make_image(batch=2)
    with torch.no_grad():
        assert_same(network(image), Oracle(network.state_dict())(name, image))


def test_a_cut_network_predicts_what_that_stage_did(whole):
    name, network = whole
    state, image = network.state_dict(), make_image()
    with torch.no_grad():
        found = network(image)
        assert len(found) == STAGES[name][-1]
        for stages in STAGES[name]:
            cut = build(name, meta=True, stages=stages)
            left = {key: state[key] for key in cut.state_dict()}
            assert (len(left) < len(state)) == (stages < len(found))
            cut.load_state_dict(left, assign=True)
            assert_same(cut(image), found[:stages], 1e-6)


def test_fusing_changes_nothing(whole):
    name, network = whole
    image = make_image()
    with torch.no_grad():
        assert_same(fuse(network)(image), network(image), 1e-6)


def test_the_file_of_the_full_network_fits_a_cut_one(whole):
    name, network = whole
    fewest = STAGES[name][0]
    tensors = {key: value.numpy() for key, value in network.state_dict().items()}
    cut = build(name, stages=fewest)
    cut.recipe = Recipe(name, SPECS[name].topology, {'stages': fewest})
    load_weights(cut, Weights(tensors), 'all.caffemodel', SPECS[name].ignored)
    for key, value in cut.state_dict().items():
        assert np.array_equal(value.numpy(), tensors[key]), key
    stranger = dict(tensors, **{'Mconv8_stage6_L1.weight': np.zeros((1, 1, 1, 1))})
    with pytest.raises(WeightsError, match='Mconv8_stage6_L1.weight'):
        load_weights(cut, Weights(stranger), 'odd.caffemodel', SPECS[name].ignored)
    first = sorted(cut.state_dict())[0]
    with pytest.raises(WeightsError, match='missing .*' + re.escape(first)):
        del tensors[first]
        load_weights(cut, Weights(tensors), 'short.caffemodel', SPECS[name].ignored)


class Final(nn.Module):
    """The maps of the last stage, without missing ones."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return list(self.network(image)[-1].values())


@pytest.mark.parametrize('name, stages', [('cmu', 2), ('body_25', 5), ('hand', 2)])
@pytest.mark.parametrize('dynamic', [False, True])
def test_the_export_is_equal_and_has_simple_operations_only(name, stages, dynamic):
    network, file = Final(randomised(build(name, stages=stages))), io.BytesIO()
    torch.onnx.export(network, (make_image(),), file, dynamo=False, opset_version=13,
                      input_names=['image'],
                      dynamic_axes={'image': {0: 'n', 2: 'h', 3: 'w'}} if dynamic else None)
    kinds = {node.op_type for node in onnx.load_from_string(file.getvalue()).graph.node}
    slopes = {'PRelu'} if name == 'body_25' else set()
    assert kinds == {'Conv', 'Relu', 'MaxPool', 'Concat'} | slopes
    image = make_image(2, 24, 8) if dynamic else make_image()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        file.getvalue(), options, providers=['CPUExecutionProvider'])
    with torch.no_grad():
        expected = network(image)
    found = [torch.from_numpy(value) for value in session.run(None, {'image': image.numpy()})]
    names = ('heatmaps', 'pafs')
    assert_same([dict(zip(names, found))], [dict(zip(names, expected))])
