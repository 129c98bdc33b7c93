# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of CMU: published counts, names and inputs, from the tables in this file."""
import re
from typing import NamedTuple, Tuple

import pytest
import torch

from pose_ros.core.card import parse_card
from pose_ros.core.paf_layouts import map_layout
from pose_training.errors import NetworkError
from pose_training.models import body_25, cmu, hand_face
from pose_training.models.cost import count_multiply_adds, count_parameters

SPECS = {spec.name: spec for module in (cmu, body_25, hand_face) for spec in module.NETWORKS}


class Published(NamedTuple):
    """Published facts of a network; costs in 10^9 multiply-adds by input width, height 368."""

    parameters: str
    costs: dict
    channels: Tuple[int, int]  # heatmaps, PAFs
    most_stages: int


PUBLISHED = {
    'cmu': Published('52311446', {368: 135.9, 432: 159.6, 656: 242.3}, (19, 38), 6),
    'mpi': Published('51.48', {368: 134.2, 432: 157.5, 656: 239.2}, (16, 28), 6),
    'mpi_faster': Published('34.24', {368: 97.7, 432: 114.7, 656: 174.2}, (16, 28), 4),
    'body_25': Published('26166084', {368: 80.6, 432: 94.6, 656: 143.6}, (26, 52), 6),
    'hand': Published('36.83', {368: 103.2}, (22, 0), 6),
    'face': Published('38.43', {368: 106.6}, (71, 0), 6),
}


def build(name, meta=False, **options):
    """Build a network as `create_model` does; on the meta device nothing is computed."""
    spec = SPECS[name]
    layout = map_layout(spec.topology)
    with torch.device('meta' if meta else 'cpu'):
        return spec.build(layout.heatmaps, layout.pafs, **{**spec.options, **options}).eval()


def expected_state(name):
    """Return {state name: shape} of a network."""
    heatmaps, pafs = PUBLISHED[name].channels
    vgg = ('conv1_1:64 conv1_2:64 conv2_1:128 conv2_2:128 conv3_1:256 conv3_2:256 conv3_3:256 '
           'conv3_4:256 conv4_1:512 conv4_2:512 ')
    shapes = {}
    if name in ('hand', 'face'):
        add_convolutions(shapes, 3, 3, vgg + 'conv4_3:512 conv4_4:512 conv5_1:512 conv5_2:512 '
                         'conv5_3_CPM:128')
        add_convolutions(shapes, 1, 128, 'conv6_1_CPM:512 conv6_2_CPM:{}'.format(heatmaps))
        for stage in '23456':
            add_wide_stage(shapes, heatmaps + 128, 'stage' + stage, heatmaps)
        return shapes
    add_convolutions(shapes, 3, 3, vgg + 'conv4_3_CPM:256 conv4_4_CPM:128')
    if name == 'body_25':
        add_body_25_stages(shapes)
        return shapes
    for branch, outputs in (('L1', pafs), ('L2', heatmaps)):
        add_convolutions(shapes, 3, 128, 'conv5_1_CPM_{0}:128 conv5_2_CPM_{0}:128 '
                         'conv5_3_CPM_{0}:128'.format(branch))
        add_convolutions(shapes, 1, 128, 'conv5_4_CPM_{0}:512 conv5_5_CPM_{0}:{1}'.format(
            branch, outputs))
        for stage in '234' if name == 'mpi_faster' else '23456':
            add_wide_stage(shapes, pafs + heatmaps + 128, 'stage{}_{}'.format(stage, branch),
                           outputs)
    return shapes


def add_convolutions(shapes, kernel, inputs, rows):
    for row in rows.split():
        layer, outputs = row.split(':')
        shapes[layer + '.weight'] = (int(outputs), inputs, kernel, kernel)
        shapes[layer + '.bias'] = (int(outputs),)
        inputs = int(outputs)


def add_wide_stage(shapes, inputs, suffix, outputs):
    add_convolutions(shapes, 7, inputs, ' '.join(
        'Mconv{}_{}:128'.format(number, suffix) for number in (1, 2, 3, 4, 5)))
    add_convolutions(shapes, 1, 128, 'Mconv6_{0}:128 Mconv7_{0}:{1}'.format(suffix, outputs))


def add_body_25_stages(shapes):
    for slope, channels in (('prelu4_2', 512), ('prelu4_3_CPM', 256), ('prelu4_4_CPM', 128)):
        shapes[slope + '.weight'] = (channels,)
    for suffix, inputs, width, hidden, outputs in (
            ('stage0_L2', 128, 96, 256, 52), ('stage1_L2', 180, 128, 512, 52),
            ('stage2_L2', 180, 128, 512, 52), ('stage3_L2', 180, 128, 512, 52),
            ('stage0_L1', 180, 96, 256, 26), ('stage1_L1', 206, 128, 512, 26)):
        for block in '12345':
            add_convolutions(shapes, 3, inputs, ' '.join(
                'Mconv{}_{}_{}:{}'.format(block, suffix, part, width) for part in '012'))
            for part in '012':
                shapes['Mprelu{}_{}_{}.weight'.format(block, suffix, part)] = (width,)
            inputs = 3 * width
        add_convolutions(shapes, 1, inputs, 'Mconv6_{0}:{1} Mconv7_{0}:{2}'.format(
            suffix, hidden, outputs))
        shapes['Mprelu6_{}.weight'.format(suffix)] = (hidden,)


@pytest.mark.parametrize('name', PUBLISHED)
def test_parameters_and_cost_are_the_published_ones(name):
    network = build(name, meta=True)
    published = PUBLISHED[name]
    parameters = count_parameters(network)
    if '.' in published.parameters:
        assert '{:.2f}'.format(parameters / 1e6) == published.parameters
    else:
        assert parameters == int(published.parameters)
    for width, cost in published.costs.items():
        assert round(count_multiply_adds(network, width, 368) / 1e9, 1) == cost, width


@pytest.mark.parametrize('name', PUBLISHED)
def test_the_state_has_the_names_and_shapes_of_the_published_files(name):
    state = {key: tuple(value.shape) for key, value in build(name, meta=True).state_dict().items()}
    assert state == expected_state(name)


@pytest.mark.parametrize('name', PUBLISHED)
def test_the_maps_have_the_channels_of_the_topology_at_stride_8(name):
    heatmaps, pafs = PUBLISHED[name].channels
    found = build(name, meta=True)(torch.empty(2, 3, 48, 80, device='meta'))
    assert len(found) == PUBLISHED[name].most_stages
    for stage, maps in enumerate(found):
        expected = {} if name == 'body_25' and stage < 4 else {'heatmaps': (2, heatmaps, 6, 10)}
        expected.update({'pafs': (2, pafs, 6, 10)} if pafs else {})
        assert {output: tuple(values.shape) for output, values in maps.items()} == expected


def test_mpi_faster_takes_the_last_stages_of_mpi_for_nothing():
    needed = build('mpi_faster', meta=True).state_dict()
    spare = [key for key in build('mpi', meta=True).state_dict() if key not in needed]
    assert len(spare) == 2 * 2 * 7 * 2  # stages, branches, layers, weight and bias
    assert all(re.match(SPECS['mpi_faster'].ignored, key) for key in spare)
    assert all(re.search('_stage[56]_', key) for key in spare)


@pytest.mark.parametrize('name, wrong', [
    ('cmu', 0), ('cmu', 7), ('mpi', '6'), ('body_25', 4), ('body_25', 7), ('hand', 0),
    ('face', 7), ('face', 2.0)])
def test_an_invalid_number_of_stages_is_rejected_with_the_valid_ones(name, wrong):
    words = '{} to {} stages, not {!r}'.format(5 if name == 'body_25' else 1, 6, wrong)
    with pytest.raises(NetworkError, match=re.escape(words)):
        build(name, meta=True, stages=wrong)


def test_a_network_of_pafs_rejects_a_topology_without_limbs():
    for module in (cmu, body_25):
        with pytest.raises(NetworkError, match='no limbs'):
            module.build(22, 0)
    for channels in ((22, 0), (22, 40)):
        with torch.device('meta'):
            maps = hand_face.build(*channels, stages=1)(torch.empty(1, 3, 16, 16))
        assert maps[0]['heatmaps'].shape == (1, 22, 2, 2) and 'pafs' not in maps[0]


def test_fresh_weights_let_the_image_through():
    for name, last in (('cmu', 'conv4_4_CPM'), ('body_25', 'conv4_4_CPM'),
                       ('hand', 'conv5_3_CPM')):
        network, seen = build(name, stages=5 if name == 'body_25' else 1), []
        network.get_submodule(last).register_forward_hook(
            lambda module, inputs, output: seen.append(output.std().item()))
        image = torch.rand(1, 3, 64, 64) - .5
        with torch.no_grad():
            maps = network(image)[-1]['heatmaps']
        assert .2 < seen[0] / image.std().item() < 5
        assert 0 < maps.abs().max() < 1


@pytest.mark.parametrize('name, pad_value, size', [
    ('cmu', 128, (656, 368)), ('mpi', 128, (656, 368)), ('mpi_faster', 128, (656, 368)),
    ('body_25', 0, (656, 368)), ('hand', 0, (368, 368)), ('face', 0, (368, 368))])
def test_the_card_input_is_that_of_openpose(name, pad_value, size):
    spec = SPECS[name]
    card = parse_card({'schema': 1, 'name': name, 'version': '1', 'license': spec.license,
                       'task': 'pose', 'topology': spec.topology, 'input': spec.input,
                       'decoder': {'type': 'paf', 'outputs': {}, 'settings': {}},
                       'provenance': {}}, 'test').input
    assert (card.width, card.height) == size
    # Hands and faces are found in crops: pose-ros image --hands, --face.
    fit = 'crop' if name in ('hand', 'face') else 'letterbox'
    assert (card.color, card.fit, card.pad_value) == ('bgr', fit, pad_value)
    for value in (0, 128, 255):
        for mean, std in zip(card.mean, card.std):
            assert (value * card.scale - mean) / std == pytest.approx(value / 256 - .5)
    assert 'non-commercial' in spec.license and spec.source.endswith('.caffemodel')
