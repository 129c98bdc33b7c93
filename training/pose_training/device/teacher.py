# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A network of crops as a teacher on the device, run on the crops of the student."""
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_ros.core.card_files import load_card
from pose_training.device.openvino_module import OpenVinoModule
from pose_training.device.pool import ImagePool
from pose_training.errors import ConfigError
from pose_training.families.family import Family
from pose_training.models.normalization import Normalization


class CropTeacher:
    """Averages the maps of a crop and of its mirror image, on the cells of the student.

    The teacher's crops are shifted so that its cells have the positions of the student's, also for
    a grid of another rule (`corner`). Raises ConfigError for a network with another input size
    than `size` (width, height), or another format than .xml.
    """

    def __init__(self, path: str, card: Optional[str], family: Family, size: Tuple[int, int],
                 device: torch.device):
        if not path.lower().endswith('.xml'):
            raise ConfigError('teacher.models: {} is no OpenVINO network (.xml); training on one '
                              'device supports no other teachers'.format(path))
        found: ModelCard = load_card(path, card)
        if (found.input.width, found.input.height) != tuple(size):
            raise ConfigError('data.size: the teacher {} needs crops of {}x{}'.format(
                path, found.input.width, found.input.height))
        self._channels = family.teacher_channels(found, path)
        self._twins = list(family.topology.mirror)
        self._tensor = found.decoder.outputs['tensor']
        self._half = device.type == 'cuda'
        kind = torch.float16 if self._half else torch.float32
        self.network: OpenVinoModule = OpenVinoModule(path).to(device, kind).eval()
        self._normalize = Normalization(found.input).to(device)
        self._kind, self._size = kind, size
        self.known = torch.from_numpy(self._channels.known).to(device)

    @torch.no_grad()
    def __call__(self, pool: ImagePool, images: np.ndarray, matrices: np.ndarray,
                 size: Tuple[int, int]) -> Tensor:
        """Return (N, K, h, w) float32 for images (N,) of a pool and matrices (N, 2, 3)."""
        channels = self._channels
        straight, mirror = shifted(matrices, size, channels.shift * channels.stride,
                                   channels.own_shift * channels.stride)
        maps = [self._maps(pool.sample(images, each, size)) for each in (straight, mirror)]
        return (maps[0] + maps[1][:, self._twins].flip(3)) / 2

    @torch.no_grad()
    def layers(self, crops: Tensor, names: Sequence[str]) -> List[Tensor]:
        """Return the outputs of layers for crops (N, 3, H, W) BGR of 0 to 255."""
        return self.network.with_layers(self._inputs(crops), names)[1]

    def _maps(self, crops):
        return self._channels.read({self._tensor: self.network(self._inputs(crops))})

    def _inputs(self, crops):
        return self._normalize(crops).to(self._kind, memory_format=torch.channels_last)


def shifted(matrices: np.ndarray, size: Tuple[int, int], shift: float,
            own_shift: float = 0.) -> Tuple[np.ndarray, np.ndarray]:
    """Return maps (N, 2, 3) to the crops of a teacher, and to their mirror images.

    The cells of the teacher lie `shift` pixels before those of `half_pixel`, and the student's
    `own_shift`. The pixel x of the teacher is the student's x + shift - own_shift; in the mirror
    image, width - 1 - shift - own_shift - x.
    """
    straight = matrices.copy()
    straight[:, :, 2] -= shift - own_shift
    mirror = straight.copy()
    mirror[:, 0] = -matrices[:, 0]
    mirror[:, 0, 2] += size[0] - 1 - shift - own_shift
    return straight, mirror
