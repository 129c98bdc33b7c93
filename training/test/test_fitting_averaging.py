# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The averaged weights: what they are, and that their batch norms fit them."""
from figures import run_data, TINY, write_figures
import pytest
import torch
from torch.optim.swa_utils import update_bn

from pose_ros.core.topology import get_topology
from pose_training.checkpoint import load_checkpoint
from pose_training.data.annotations import read_dataset
from pose_training.data.dataset import CropRequest, CropSpec, PoseDataset
from pose_training.fitting.averaging import WeightAverage
from pose_training.fitting.config import build
from pose_training.fitting.crops import CleanCrops
from pose_training.fitting.fit import fit
from pose_training.fitting.module import PoseModule
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model
from pose_training.families.registry import make_family

pytestmark = pytest.mark.fitting


CLEAN = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'), 0.)


def tiny():
    """Return a network whose weights are all 1 and counters 7."""
    network = create_model('repvgg_fpn', stages=1, **TINY)
    for value in network.state_dict().values():
        value.fill_(7 if value.dtype == torch.int64 else 1)
    return network


class Module:
    """As much of a PoseModule as the average looks at."""

    def __init__(self, network):
        self.network = network

    def load_state_dict(self, state):
        """Load names that begin with `network.`."""
        self.network.load_state_dict({name[len('network.'):]: value
                                      for name, value in state.items()})


def averaged(values, decay):
    """Return the average after steps at which all weights are each of the values."""
    module, average = Module(tiny()), WeightAverage(decay)
    average.on_fit_start(None, module)
    for step, value in enumerate(values):
        for entry in module.network.state_dict().values():
            entry.fill_(step if entry.dtype == torch.int64 else value)
        average.update(module.network)
    return average, module


def test_the_average_is_exponential_and_forgets_its_beginning():
    values = [2., 3., 5., 8., 13.]
    average, _ = averaged(values, .3)
    wanted = 0.
    for count, value in enumerate(values):
        decay = min(.3, count / (count + 9))
        wanted = decay * wanted + (1 - decay) * value
    for name, value in average.averaged().items():
        if value.is_floating_point():
            assert torch.allclose(value, torch.full_like(value, wanted)), name
        else:
            assert name.endswith('num_batches_tracked') and int(value) == 4


def test_without_decay_the_average_is_the_last_step():
    average, _ = averaged([2., 3., .1], 0.)
    assert all(bool((value == torch.tensor(.1)).all()) for value in average.averaged().values()
               if value.is_floating_point())


def test_validation_uses_the_average_and_training_its_own_weights():
    average, module = averaged([2., 4.], .5)
    key = 'backbone.0.0.dense.0.weight'
    mean = average.averaged()[key].flatten()[0].item()
    assert mean == pytest.approx(.1 * 2 + .9 * 4)
    average.on_validation_start(None, module)
    assert module.network.state_dict()[key].flatten()[0].item() == mean
    average.on_validation_end(None, module)
    assert module.network.state_dict()[key].flatten()[0].item() == 4
    assert average.averaged()[key].flatten()[0].item() == mean
    average.on_train_end(None, module)
    assert module.network.state_dict()[key].flatten()[0].item() == mean


def test_snapshots_have_both_and_those_of_lightning_are_read(tmp_path):
    average, module = averaged([2., 4.], .5)
    checkpoint = {'state_dict': {'network.' + name: value for name, value
                                 in module.network.state_dict().items()}}
    average.on_save_checkpoint(None, module, checkpoint)
    torch.save(checkpoint, tmp_path / 'a.ckpt')
    loaded = torch.load(tmp_path / 'a.ckpt', weights_only=True)
    assert set(loaded) == {'state_dict', 'current_model_state', 'averaging_state'}
    again, other = WeightAverage(.5), Module(tiny())
    again.on_load_checkpoint(None, other, loaded)
    again.on_fit_start(None, other)
    for network in (module.network, other.network):
        for value in network.parameters():
            value.data.fill_(10)
        (average if network is module.network else again).update(network)
    for name, value in average.averaged().items():
        assert torch.equal(again.averaged()[name], value)


def test_the_channel_order_survives_the_averaging(tmp_path):
    # An average of integers would be cut off: blue, green and red are counted 0, 1, 2.
    write_figures(tmp_path)
    config = build(RunConfig, run_data(tmp_path, str(tmp_path / 'figures.json')), '')
    module = PoseModule(create_model('repvgg_fpn', stages=1, **TINY), config)
    average = WeightAverage(.999)
    average.on_fit_start(None, module)
    for _ in range(50):
        average.update(module.network)
    average.on_validation_start(None, module)
    image = torch.tensor([10, 20, 30], dtype=torch.uint8).reshape(1, 3, 1, 1)
    assert torch.allclose(module.normalize(image).flatten(),
                          (torch.tensor([10., 20, 30]) / 255 - .5) / .25)


def test_the_statistics_of_batch_norms_fit_the_averaged_weights(tmp_path):
    data = write_figures(tmp_path / 'data')
    config = build(RunConfig, run_data(tmp_path, data, optimizer__epochs=12,
                                       optimizer__crops_per_epoch=64, optimizer__batch=8,
                                       optimizer__ema_decay=.97, optimizer__lr=1e-2,
                                       data__photometric=CLEAN), '')
    network, _ = load_checkpoint(fit(config))
    topology = get_topology('coco_18')
    samples = read_dataset(data, topology, all_visible_keypoints_annotated=True)
    crops = CleanCrops(PoseDataset(samples, CropSpec((64, 64), 8, make_family('paf', 'coco_18'),
                                                     sigma=5.)))
    batch = torch.stack([crops[CropRequest(k % 8, k // 8, 0)][0] for k in range(128)])
    module = PoseModule(network, config)
    found = {name: value.clone() for name, value in network.state_dict().items()}
    update_bn([module.normalize(batch)], network)
    exact = network.state_dict()
    for name in exact:
        if name.endswith('running_var'):
            mean = name.replace('running_var', 'running_mean')
            shift = (found[mean] - exact[mean]).abs() / (exact[name].sqrt() + 1e-3)
            ratio = (found[name] + 1e-5) / (exact[name] + 1e-5)
            assert float(shift.max()) < .25, name
            assert .65 < float(ratio.min()) and float(ratio.max()) < 1.6, name
