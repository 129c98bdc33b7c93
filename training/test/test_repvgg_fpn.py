# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own network."""
import pytest
import torch
from norms import with_statistics
from torch import nn

from pose_training.errors import NetworkError
from pose_training.models import create_model
from pose_training.models.folding import fuse
from pose_training.models.repvgg_fpn import Block


@pytest.mark.parametrize('inputs, outputs, stride', [(4, 4, 1), (4, 6, 1), (4, 6, 2), (4, 4, 2)])
def test_a_block_becomes_one_equal_convolution(inputs, outputs, stride):
    block = with_statistics(Block(inputs, outputs, stride))
    image = torch.randn(2, inputs, 9, 8)
    merged = block.fused()
    assert [type(layer) for layer in merged] == [nn.Conv2d, nn.ReLU]
    assert torch.allclose(merged(image), block(image), atol=1e-5)
    assert block.residual == (inputs == outputs and stride == 1)


def test_maps_have_the_channels_of_the_topology_at_stride_8():
    for topology, heatmaps, pafs in (
            ('coco_18', 19, 38), ('body_25', 26, 52), ('coco_17', 18, 34)):
        stages = create_model('repvgg_fpn', topology).eval()(torch.zeros(2, 3, 64, 96))
        assert [tuple(maps['heatmaps'].shape) for maps in stages] == [(2, heatmaps, 8, 12)] * 2
        assert [tuple(maps['pafs'].shape) for maps in stages] == [(2, pafs, 8, 12)] * 2


def test_for_inference_only_plain_convolutions_are_left():
    network = with_statistics(create_model('repvgg_fpn'))
    fused = fuse(network)
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for plain, merged in zip(network(image), fused(image)):
            assert torch.allclose(plain['heatmaps'], merged['heatmaps'], rtol=1e-3, atol=1e-3)
            assert torch.allclose(plain['pafs'], merged['pafs'], rtol=1e-3, atol=1e-3)
    assert not [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]
    # 11 blocks of the backbone, 3 laterals, 2 smoothings, 2 + 2 of the stages, 2 + 3 1x1 and out
    convolutions = [module for module in fused.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 11 + 3 + 2 + 2 + 2 + 2 + 3
    # What the bundled file may weigh, in float32.
    assert sum(weight.numel() for weight in fused.parameters()) * 4 < 5.95e6


def test_a_cut_network_predicts_what_its_last_stage_did():
    network = with_statistics(create_model('repvgg_fpn', stages=3))
    cut = with_statistics(create_model('repvgg_fpn', stages=2))
    cut.load_state_dict({name: network.state_dict()[name] for name in cut.state_dict()})
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(cut(image)[-1]['pafs'], network(image)[1]['pafs'])


@pytest.mark.parametrize('options, reason', [
    ({'stages': 0}, '1 to 3 stages'), ({'stages': 4}, '1 to 3 stages'),
    ({'widths': (8, 8)}, 'list of 5'), ({'depths': (1, 1, 0, 1, 1)}, 'from 1 to 64, not 0'),
    ({'color': 'red'}, 'color')])
def test_invalid_shapes_are_rejected(options, reason):
    with pytest.raises(NetworkError, match=reason):
        create_model('repvgg_fpn', **options)
