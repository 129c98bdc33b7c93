# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A network of crops as a teacher on the device, run on the crops of the student."""
from typing import Optional, Tuple

import numpy as np
import torch
from torch import Tensor, nn

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
        self._tensor = found.decoder.outputs['tensor']
        self._half = device.type == 'cuda'
        kind = torch.float16 if self._half else torch.float32
        self._network: nn.Module = OpenVinoModule(path).to(device, kind).eval()
        self._normalize = Normalization(found.input).to(device)
        self._kind, self._size = kind, size
        self.known = torch.from_numpy(self._channels.known).to(device)

    @torch.no_grad()
    def __call__(self, pool: ImagePool, images: np.ndarray, matrices: np.ndarray,
                 size: Tuple[int, int]) -> Tensor:
        """Return (N, K, h, w) float32 for images (N,) of a pool and matrices (N, 2, 3)."""
        straight, mirror = shifted(matrices, size, self._channels.shift * self._channels.stride)
        maps = [self._maps(pool.sample(images, each, size)) for each in (straight, mirror)]
        twins = list(self._channels.mirror)
        return (maps[0] + maps[1][:, twins].flip(3)) / 2

    def _maps(self, crops):
        inputs = self._normalize(crops).to(self._kind, memory_format=torch.channels_last)
        return self._channels.read({self._tensor: self._network(inputs)})


def shifted(matrices: np.ndarray, size: Tuple[int, int],
            shift: float) -> Tuple[np.ndarray, np.ndarray]:
    """Return maps (N, 2, 3) to the crops of a teacher, and to their mirror images.

    Its pixel x is the student's pixel x + `shift`; in the mirror image, width - 1 - shift - x.
    """
    straight = matrices.copy()
    straight[:, :, 2] -= shift
    mirror = straight.copy()
    mirror[:, 0] = -matrices[:, 0]
    mirror[:, 0, 2] += size[0] - 1 - shift
    return straight, mirror
