# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The loss, what it is made of, and the crops that it is taken of."""
import json

from figures import COCO, run_data, TINY, write_figures
import numpy as np
import pytest
import torch

from pose_training.data.sets import read_sets, SetConfig
from pose_training.fitting.config import build
from pose_training.fitting.crops import Crops
from pose_training.families.losses import squared_errors, total_loss
from pose_training.fitting.module import PoseModule
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model
from pose_training.models.network import named_outputs

pytestmark = pytest.mark.fitting


def stage_of(heatmaps, pafs):
    """Return the outputs of a stage."""
    return named_outputs(heatmaps=heatmaps, pafs=pafs)


def stage_losses(stages, target, weights, foreground_weight):
    """Return the losses of heatmaps and PAFs."""
    return squared_errors(stages, target, weights, foreground_weight, ('heatmaps', 'pafs'))


def test_the_loss_is_the_weighted_square_per_cell():
    random = np.random.default_rng(0)
    target = random.uniform(-1, 1, (2, 5, 3, 4)).astype(np.float32)
    weights = random.integers(0, 2, target.shape).astype(np.float32)
    maps = [random.normal(size=target.shape).astype(np.float32) for _ in range(3)]
    stages = [stage_of(torch.from_numpy(part[:, :2]), torch.from_numpy(part[:, 2:]))
              for part in maps]
    losses = stage_losses(stages, torch.from_numpy(target), torch.from_numpy(weights), 3.)
    wanted = [sum((part[n, c, y, x] - target[n, c, y, x]) ** 2 * weights[n, c, y, x]
                  * (1 + 3 * abs(target[n, c, y, x]))
                  for n in range(2) for c in range(5) for y in range(3) for x in range(4))
              / (2 * 3 * 4) for part in maps]
    assert [loss.item() for loss in losses] == pytest.approx(wanted, rel=1e-5)
    assert total_loss(losses, .5).item() == pytest.approx(
        .5 * wanted[0] + .5 * wanted[1] + wanted[2], rel=1e-5)
    assert total_loss(losses[:1], .5).item() == pytest.approx(wanted[0], rel=1e-5)


def test_stages_of_one_kind_of_map_are_compared_with_that():
    target = torch.rand(2, 5, 3, 4)
    heatmaps, pafs = torch.rand(2, 2, 3, 4), torch.rand(2, 3, 3, 4)
    ones = torch.ones_like(target)
    losses = stage_losses([stage_of(None, pafs), stage_of(heatmaps, None),
                           stage_of(heatmaps, pafs)], target, ones, 0.)
    wanted = [((found - part) ** 2).sum() / 24
              for found, part in ((pafs, target[:, 2:]), (heatmaps, target[:, :2]))]
    assert [loss.item() for loss in losses] == pytest.approx([
        wanted[0].item(), wanted[1].item(), (wanted[0] + wanted[1]).item()], rel=1e-5)
    network = create_model('body_25', stages=6).eval()
    with torch.no_grad():
        stages = network(torch.rand(1, 3, 16, 16))
    target = torch.cat(tuple(stages[-1].values()), 1)
    losses = stage_losses(stages, target, torch.ones_like(target), 3.)
    assert len(losses) == 6 and losses[-1].item() == 0 and losses[0].item() > 0


def test_networks_without_pafs_have_a_loss_and_maps_that_do_not_fit_none():
    heatmaps = torch.ones(1, 2, 3, 3)
    assert stage_losses([stage_of(heatmaps, None)], heatmaps, heatmaps, 3.)[0].item() == 0
    with pytest.raises(ValueError, match=r'maps of \(1, 2, 3, 3\) do not fit targets of \(1, 3,'):
        stage_losses([stage_of(heatmaps, None)], torch.ones(1, 3, 3, 3),
                     torch.ones(1, 3, 3, 3), 3.)


def test_what_has_no_weight_teaches_nothing():
    maps = torch.zeros(1, 2, 2, 2, requires_grad=True)
    weights = torch.ones(1, 2, 2, 2)
    weights[0, 1] = 0
    loss = stage_losses([stage_of(maps, None)], torch.ones(1, 2, 2, 2), weights, 0.)[0]
    loss.backward()
    assert maps.grad[0, 0].abs().min() > 0 and not maps.grad[0, 1].any()


@pytest.mark.parametrize('name, color, mean, std, scale', [
    ('repvgg_fpn', 'bgr', .5, .25, 1 / 255), ('cmu', 'bgr', None, None, None),
    ('trt_pose_resnet18', 'rgb', None, None, None)])
def test_images_are_normalized_with_the_card(name, color, mean, std, scale):
    network = create_model(name, **(dict(TINY, stages=1) if name == 'repvgg_fpn' else {}))
    module = PoseModule(network, RunConfig())
    image = torch.tensor([[10, 60, 200]], dtype=torch.uint8).reshape(1, 3, 1, 1)
    from pose_training.models import get_spec
    spec = get_spec(name).input
    assert spec['color'] == color
    if mean is not None:
        assert spec['mean'][0] == mean and spec['std'][0] == std and spec['scale'] == scale
    order = [10, 60, 200] if color == 'bgr' else [200, 60, 10]
    wanted = [(value * spec['scale'] - middle) / spread for value, middle, spread
              in zip(order, spec['mean'], spec['std'])]
    assert module.normalize(image).flatten().tolist() == pytest.approx(wanted, rel=1e-5)


def test_images_without_people_have_the_configured_frequency(tmp_path):
    path = write_figures(tmp_path, count=6)
    data = json.loads(open(path).read())
    data['annotations'] = data['annotations'][:4]
    open(path, 'w').write(json.dumps(data))
    for empty, wanted in ((1., 1 / 6), (.25, .25 / 4.5), (0., 0.)):
        samples, shares = read_sets([SetConfig(path, 2., empty_weight=empty)], COCO)
        there = np.array([len(sample.people) > 0 for sample in samples])
        assert there.sum() == 4 and shares.sum() == pytest.approx(2)
        assert shares[~there] == pytest.approx([2 * wanted] * 2)
    (tmp_path / 'figures.json').unlink()
    samples, shares = read_sets([SetConfig(str(tmp_path), empty_weight=0.)], COCO)
    assert len(samples) == 6 and shares == pytest.approx([1 / 6] * 6)


def test_the_files_of_a_batch_are_those_that_it_was_made_of(tmp_path):
    data = write_figures(tmp_path / 'data')
    crops = Crops(build(RunConfig, run_data(tmp_path, data), ''),
                  create_model('repvgg_fpn', stages=1, **TINY))
    crops.setup('fit')

    class Trainer:
        """As much of a trainer as the crops look at."""

        global_rank, world_size = 0, 1
    crops.trainer = Trainer()
    draws = crops._draws()
    draws.set_epoch(3)
    chosen = [crops._crops.samples[draw.sample].path for draw in draws]
    assert crops.files(3, 0) + crops.files(3, 1) + crops.files(3, 2) == chosen
    assert crops.files(3, 1) != crops.files(2, 1)
    first, again = crops.fixed_crops(3), crops.fixed_crops(3)
    for one, two in zip(first, again):
        assert all(torch.equal(a, b) for a, b in zip(one, two))
    assert not torch.equal(first[0][0], first[1][0])
