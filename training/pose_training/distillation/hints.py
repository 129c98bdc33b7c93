# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hints: layers of the student are trained on the outputs of layers of teachers.

After Romero et al., arXiv:1412.6550: a 1x1 convolution translates the student's channels.
"""
from typing import Callable, Dict, List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from pose_training.models.network import PoseNetwork


class HintedCrops(Dataset):
    """Crops, each with the outputs of the teachers' layers.

    `load()` returns {model: Teacher}; `wanted` lists (model, layer) in the order of the hints.
    """

    def __init__(self, crops: Dataset, load: Callable[[], Dict[int, object]],
                 wanted: Sequence[Tuple[int, str]]):
        self._crops, self._load, self._wanted = crops, load, list(wanted)
        self._teachers: Dict[int, object] = {}

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, draw):
        """Return the entry of the crops, and (C, h, w) float16 for each of `wanted`."""
        if not self._teachers:  # loaded in the loader: engines do not survive its fork
            self._teachers = self._load()
        image, *targets = self._crops[draw]
        pixels = image.numpy().transpose(1, 2, 0).copy()
        found = {model: teacher.features(pixels) for model, teacher in self._teachers.items()}
        hints = [torch.from_numpy(found[model][layer]).half() for model, layer in self._wanted]
        return (image, *targets, *hints)


class Hints(nn.Module):
    """The convolutions from the student's to the teachers' channels, and their losses.

    `layers` are names of the student's modules; `channels` (student's, teacher's) of each hint.
    """

    def __init__(self, network: PoseNetwork, layers: Sequence[str],
                 channels: Sequence[Tuple[int, int]]):
        super().__init__()
        self.translations = nn.ModuleList(nn.Conv2d(inputs, outputs, 1)
                                          for inputs, outputs in channels)
        self._held: Dict[str, Tensor] = {}
        self._layers = list(layers)
        modules = dict(network.named_modules())
        for name in set(layers):
            modules[name].register_forward_hook(self._keep(name))

    def _keep(self, name):
        def hook(module, inputs, output):
            self._held[name] = output
        return hook

    def forward(self, wanted: Sequence[Tensor]) -> List[Tensor]:
        """Return each hint's squared error as a fraction of the teacher's mean square.

        `wanted` are the outputs (N, C, h, w) of the teachers' layers for the last batch of the
        student, in the order of the hints.
        """
        losses = []
        for layer, translation, target in zip(self._layers, self.translations, wanted):
            found = translation(self._held[layer]).float()
            target = functional.interpolate(target.float(), found.shape[2:], mode='bilinear',
                                            align_corners=False)
            losses.append(((found - target) ** 2).mean() / target.square().mean().clamp_min(1e-6))
        self._held.clear()
        return losses
