# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hints: layers of the student are trained on the outputs of layers of teachers.

After Romero et al., arXiv:1412.6550: a 1x1 convolution translates the student's channels. A
student of the teacher's channels needs none, and can also be trained part by part: see Wang et
al., "Progressive Blockwise Knowledge Distillation", IJCAI 2018.
"""
from typing import Callable, Dict, List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from pose_training.errors import ConfigError
from pose_training.models.network import PoseNetwork

_LEAST_VARIANCE = .05  # of a channel, as a share of the mean: nearly constant channels count less


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
    """The losses between layers of the student and of the teachers.

    `layers` are names of the student's modules; `channels` (student's, teacher's) of each hint;
    `translated`: whether it has a 1x1 convolution (default: all have). ConfigError for different
    channels without one. With `forcing`, the layers after a hint get the teacher's output in place
    of the student's, so that every part of the student is trained by itself.
    """

    def __init__(self, network: PoseNetwork, layers: Sequence[str],
                 channels: Sequence[Tuple[int, int]], translated: Sequence[bool] = (),
                 forcing: bool = False):
        super().__init__()
        translated = list(translated) or [True] * len(layers)
        for layer, (inputs, outputs), free in zip(layers, channels, translated):
            if not free and inputs != outputs:
                raise ConfigError('teacher.hints: {} has {} channels and its teacher {}: it needs '
                                  '`translate: true`'.format(layer, inputs, outputs))
        self.translations = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 1) if free else nn.Identity()
            for (inputs, outputs), free in zip(channels, translated))
        self._held: Dict[str, Tensor] = {}
        self._layers, self._forcing = list(layers), forcing
        self._wanted: Dict[str, Tensor] = {}
        modules = dict(network.named_modules())
        for name in set(layers):
            modules[name].register_forward_hook(self._keep(name))

    def _keep(self, name):
        def hook(module, inputs, output):
            self._held[name] = output
            if name not in self._wanted:
                return output
            wanted = self._wanted[name]
            return _resized(wanted, output.shape).to(output).contiguous(
                memory_format=torch.channels_last)
        return hook

    def begin(self, wanted: Sequence[Tensor]) -> None:
        """Take the outputs (N, C, h, w) of the teachers' layers for the next batch."""
        self._wanted = dict(zip(self._layers, wanted)) if self._forcing else {}

    def forward(self, wanted: Sequence[Tensor]) -> List[Tensor]:
        """Return the error of each hint.

        With a translation it is the squared error as a fraction of the teacher's mean square.
        Without, the squared error of each channel as a fraction of its variance, and the mean of
        these fractions.
        `wanted` are the outputs (N, C, h, w) of the teachers' layers for the last batch of the
        student, in the order of the hints.
        """
        losses = []
        for layer, translation, target in zip(self._layers, self.translations, wanted):
            found = translation(self._held[layer]).float()
            errors = (found - _resized(target.float(), found.shape)) ** 2
            if isinstance(translation, nn.Identity):
                variance = target.float().var((0, 2, 3))
                least = _LEAST_VARIANCE * variance.mean().clamp_min(1e-6)
                losses.append((errors.mean((0, 2, 3)) / variance.clamp_min(least)).mean())
            else:
                losses.append(errors.mean() / target.float().square().mean().clamp_min(1e-6))
        self._held.clear()
        self._wanted = {}
        return losses


def _resized(features, shape):
    if features.shape[2:] == shape[2:]:
        return features
    return functional.interpolate(features, shape[2:], mode='bilinear', align_corners=False)
