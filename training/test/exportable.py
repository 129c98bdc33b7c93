# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks for the tests of the exporter, and an independent way to run exported files."""
import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

from pose_training.errors import NetworkError
from pose_training.exporters.cards import make_form
from pose_training.exporters.export import ExportOptions
from pose_training.exporters.synthetic_image import draw_image, prepare
from pose_training.models import create_model, registry
from pose_training.models.network import named_outputs, PoseNetwork
from pose_training.models.registry import card_input, NetworkSpec

SIZE = (96, 64)


def tiny_student(topology='coco_18', stages=2, seed=0):
    """Return a small student with calibrated batch norms."""
    torch.manual_seed(seed)
    network = create_model('repvgg_fpn', topology, stages=stages, widths=[8, 8, 12, 12, 16],
                           depths=[1, 1, 1, 1, 1], neck=12, head=16)
    return with_statistics(network)


def with_statistics(network, size=SIZE):
    """Calibrate the batch norms on synthetic images; return the network for inference."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    images = [draw_image(*size, seed) for seed in range(3, 6)]
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(prepare(
            images, make_form(network, ExportOptions(size=size), {}).input)))
    return network.eval()


class OddNetwork(PoseNetwork):
    """Has uneven padding, ReLU6 and norms that cannot be folded, unlike the plain networks."""

    def __init__(self, heatmaps, pafs, stages):
        super().__init__()
        self.stages = stages
        self.first = nn.Conv2d(3, 8, 3, 2, bias=False)
        self.norm = nn.InstanceNorm2d(8, eps=1e-3, affine=True)
        self.second = nn.Conv2d(8, 8, 3, 4)
        self.before = nn.BatchNorm2d(8)
        self.last = nn.ModuleList(nn.Conv2d(8, heatmaps + pafs, 1) for _ in range(stages))
        self.split = [heatmaps, pafs]

    def forward(self, image):
        """See PoseNetwork."""
        features = self.norm(self.first(functional.pad(image, (0, 1, 0, 1))))
        features = functional.relu6(functional.pad(features, (1, 0, 1, 0)) - 0.25)
        features = torch.relu(self.before(torch.relu(self.second(features))))
        found = [head(features).split(self.split, 1) for head in self.last]
        return [named_outputs(heatmaps=heatmaps, pafs=paf if self.split[1] else None) for heatmaps,
                paf in found]


def _build(heatmaps, pafs, stages=1):
    if stages not in (1, 2):
        raise NetworkError('the odd network has 1 or 2 stages, not {!r}'.format(stages))
    return OddNetwork(heatmaps, pafs, stages)


def odd_network(monkeypatch, topology='coco_18', **options):
    """Put the odd network into the registry for this test, and return one."""
    spec = NetworkSpec('odd', _build, 'coco_18', {}, card_input(
        96, 64, color='rgb', scale=1 / 255., mean=(.4, .5, .6), std=(.2, .25, .3)), 'a test')
    known = {**registry.networks(), 'odd': spec}
    monkeypatch.setattr(registry, 'networks', lambda: known)
    return with_statistics(create_model('odd', topology, **options))


def run(path, batch):
    """Run an ONNX file on (N, 3, h, w) float32."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return session.run(None, {'image': np.asarray(batch, np.float32)})[0]


def final_maps(network, batch):
    """Run a network on its own input: heatmaps, then PAFs, of the last stage."""
    with torch.no_grad():
        maps = network(torch.as_tensor(batch))[-1]
    return np.concatenate([part.numpy() for part in maps.values()], 1)


def operators(path):
    """Return the operators of a file's nodes, in order."""
    return [node.op_type for node in onnx.load(str(path)).graph.node]


def constants(model):
    """Return a model's constants as arrays by name."""
    return {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
