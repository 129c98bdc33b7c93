# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Rates, decays and what stands still, step by step."""
import math

from figures import run_data, TINY, write_figures
import pytest
import torch
from torch import nn

from pose_training.checkpoint import save_checkpoint
from pose_training.errors import ConfigError
from pose_training.fitting.config import build, load_config
from pose_training.fitting.fit import fit, memory_format
from pose_training.fitting.module import PoseModule
from pose_training.fitting.schedules import frozen_prefixes, make_groups, lr_factor
from pose_training.fitting.settings import OptimizerConfig, RunConfig
from pose_training.models import create_model

pytestmark = pytest.mark.fitting


def test_the_cosine_rises_and_falls():
    config = OptimizerConfig(warmup=.1, min_lr_ratio=.05)
    factors = [lr_factor(config, step, 100) for step in range(100)]
    assert factors[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert factors[10] == 1
    assert factors[55] == pytest.approx(.05 + .95 * .5)
    assert factors[99] == pytest.approx(.05 + .95 * .5 * (1 + math.cos(math.pi * 89 / 90)))
    assert lr_factor(config, 100, 100) == lr_factor(config, 500, 100) == pytest.approx(.05)


def test_steps_come_at_the_beginning_of_their_epochs():
    config = OptimizerConfig(epochs=10, schedule='step', milestones=(4, 8), factor=.5, warmup=0.)
    factors = [lr_factor(config, step, 70) for step in range(70)]
    assert factors[1:28] == [1] * 27
    assert factors[28:56] == [.5] * 28
    assert factors[56:] == [.25] * 14


def test_a_constant_rate_is_constant_after_the_warm_up():
    config = OptimizerConfig(schedule='constant', warmup=.5)
    assert [lr_factor(config, step, 8) for step in range(8)] == [.25, .5, .75, 1, 1, 1, 1, 1]


def test_the_longest_prefix_sets_the_rate():
    network = create_model('repvgg_fpn', stages=1, **TINY)
    config = OptimizerConfig(lr_multipliers={'backbone': .25, 'backbone.4': .5, 'stages.': 2.},
                             weight_decay=.3)
    groups = make_groups(network.named_parameters(), config)
    assert [(group.factor, group.weight_decay) for group in groups] == [
        (2, .3), (2, 0), (1, .3), (1, 0), (.5, .3), (.5, 0), (.25, .3), (.25, 0)]
    rates = {id(parameter): group.factor for group in groups for parameter in group.parameters}
    decays = {id(parameter): group.weight_decay for group in groups
              for parameter in group.parameters}
    named = dict(network.named_parameters())
    assert len(rates) == len(named) == sum(len(group.parameters) for group in groups)
    for name, factor in (('backbone.0.0.dense.0.weight', .25), ('backbone.4.0.dense.1.bias', .5),
                         ('pyramid.lateral.0.0.weight', 1), ('stages.0.3.bias', 2)):
        assert rates[id(named[name])] == factor
        assert decays[id(named[name])] == (.3 if named[name].ndim > 1 else 0)


def test_biases_and_norms_have_a_rate_of_their_own():
    network = create_model('lite_hr_crop', width=8, exchanges=[1, 1, 1])
    groups = make_groups(network.named_parameters(), OptimizerConfig(
        lr_multipliers={'head.': .5}, norm_lr=4.))
    rates = {id(parameter): group.factor for group in groups for parameter in group.parameters}
    for name, parameter in network.named_parameters():
        rate = (.5 if name.startswith('head.') else 1) * (1 if parameter.ndim > 1 else 4)
        assert rates[id(parameter)] == rate, name
    assert len(groups) == 4


def test_a_prefix_without_weights_is_rejected():
    network = create_model('repvgg_fpn', stages=1, **TINY)
    with pytest.raises(ConfigError,
                       match="optimizer.lr_multipliers.*begins with 'bakbone'; there is back"):
        make_groups(network.named_parameters(), OptimizerConfig(lr_multipliers={'bakbone': .1}))
    config = load_config(None, ['optimizer.freeze={neck: 10}'])
    with pytest.raises(ConfigError, match="optimizer.freeze.*begins with 'neck'"):
        PoseModule(network, config)


def test_freezing_ends_with_its_step():
    config = OptimizerConfig(freeze={'backbone': 3, 'pyramid': 5})
    assert frozen_prefixes(config, 2) == ('backbone', 'pyramid')
    assert frozen_prefixes(config, 3) == ('pyramid',)
    assert frozen_prefixes(config, 5) == ()


@pytest.fixture
def start(tmp_path):
    """Return a function that trains a network from the same weights: (before, after)."""
    data = write_figures(tmp_path / 'data')
    network = create_model('repvgg_fpn', stages=1, **TINY)
    save_checkpoint(str(tmp_path / 'start.pt'), network)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def run(**changes):
        config = build(RunConfig, run_data(
            tmp_path, data, model={'checkpoint': str(tmp_path / 'start.pt')},
            optimizer__epochs=1, optimizer__ema_decay=0., **changes), '')
        path = fit(config, resume=False)
        return before, torch.load(path, weights_only=True)['state_dict']
    return run


def moved(before, after):
    """Return the names of what changed."""
    return {name for name, value in before.items() if not torch.equal(after[name], value)}


def test_what_is_frozen_does_not_move_nor_its_statistics(start):
    before, after = start(optimizer__freeze={'backbone.': 3})
    names = moved(before, after)
    assert not any(name.startswith('backbone.') for name in names)
    assert 'pyramid.lateral.0.0.weight' in names and 'pyramid.lateral.0.1.running_mean' in names
    assert any(name.startswith('backbone.') for name in
               moved(*start(optimizer__freeze={'backbone.': 2})))


def test_a_rate_of_0_leaves_weights_alone(start):
    before, after = start(optimizer__lr_multipliers={'pyramid': 0.})
    names = moved(before, after)
    assert not any(name.startswith('pyramid') and 'running' not in name
                   and 'num_batches' not in name for name in names)
    assert 'stages.0.3.weight' in names and 'backbone.0.0.dense.0.weight' in names


def test_frozen_norms_keep_the_statistics_and_train_the_rest(start):
    before, after = start(optimizer__norm='frozen')
    names = moved(before, after)
    assert not any('running' in name or 'num_batches' in name for name in names)
    assert 'backbone.0.0.dense.1.weight' in names


def test_the_first_step_is_as_long_as_the_rate(start):
    # AdamW's first step moves every weight by the rate, whatever its gradient; the last layer has
    # no weight with a gradient of 0, and its bias does not decay.
    before, after = start(optimizer__crops_per_epoch=4, optimizer__schedule='constant',
                          optimizer__lr=2e-3, optimizer__lr_multipliers={'stages': .5})
    step = (after['stages.0.3.bias'] - before['stages.0.3.bias']).abs()
    assert torch.allclose(step, torch.full_like(step, 1e-3), rtol=1e-2)


def test_clipping_limits_the_gradient(start, monkeypatch):
    norms = []
    original = PoseModule.clip_gradients

    def clip_gradients(self, optimizer, **options):
        original(self, optimizer, **options)
        norms.append(torch.nn.utils.get_total_norm(
            [value.grad for value in self.network.parameters()]).item())
    monkeypatch.setattr(PoseModule, 'clip_gradients', clip_gradients)
    start(optimizer__grad_clip_norm=.01)
    assert norms == pytest.approx([.01] * 3, rel=1e-3)
    start(optimizer__grad_clip_norm=0.)
    assert min(norms[3:]) > .02


def test_layout_is_channels_last_unless_a_cpu_would_write_beyond_its_buffers():
    cpu, gpu = torch.device('cpu'), torch.device('cuda')
    strided = nn.Sequential(nn.Conv2d(3, 8, 1, stride=2))
    assert memory_format(cpu, create_model('repvgg_fpn')) == torch.channels_last
    assert memory_format(cpu, strided) == torch.contiguous_format
    assert memory_format(gpu, strided) == torch.channels_last
    assert memory_format(cpu, create_model('trt_pose_resnet18')) == torch.contiguous_format
