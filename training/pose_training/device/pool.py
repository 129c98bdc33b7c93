# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All packed images in one tensor on the device, sampled with a matrix per image."""
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, Union

import cv2
import numpy as np
import torch
from torch import Tensor

from pose_ros.core.image_size import image_size
from pose_ros.core.reading import LARGEST_LABELS, LARGEST_PACK, open_regular, read_file
from pose_ros.core.topology import Topology
from pose_training.device.packing import IMAGES, INDEX
from pose_training.errors import DataError
from pose_training.families.topologies import as_topology

_THREADS = 16


def read_index(folder: str) -> Dict[str, np.ndarray]:
    """Return the index of a packed folder; DataError if there is none."""
    try:
        with open_regular(os.path.join(folder, INDEX), LARGEST_LABELS) as stream, \
                np.load(stream, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError) as error:
        raise DataError('cannot read the packed images {}: {}; make them with pose-train '
                        'pack'.format(folder, error)) from error


class ImagePool:
    """The images of a packed folder: `pixels` (N,) int32, blue + green << 8 + red << 16."""

    def __init__(self, folder: str, device: torch.device):
        self.index, self.device = read_index(folder), device
        self._content = read_file(os.path.join(folder, IMAGES), LARGEST_PACK)
        with ThreadPoolExecutor(_THREADS) as threads:
            images = list(threads.map(self._decoded, range(len(self))))
        sizes = np.array([len(image) for image in images], np.int64)
        self.pixels = torch.from_numpy(np.concatenate(images)).to(device)
        self._offset = torch.from_numpy(sizes.cumsum() - sizes).to(device)
        self.sizes = np.stack([self.index['width'], self.index['height']], 1)
        self._sizes = torch.from_numpy(self.sizes.astype(np.int64)).to(device)
        self._content = b''

    def __len__(self) -> int:
        return len(self.index['start'])

    @property
    def topology(self) -> Topology:
        """Return the skeleton of the people."""
        return as_topology(json.loads(str(self.index['topology'])))

    def _decoded(self, number):
        start, length = (int(self.index[name][number]) for name in ('start', 'length'))
        size = self.index['width'][number], self.index['height'][number]
        # Compared before it is decoded: the header may claim any size.
        known = image_size(self._content[start:start + length]) == size
        image = cv2.imdecode(np.frombuffer(self._content, np.uint8, length, start),
                             cv2.IMREAD_COLOR) if known else None
        if image is None or image.shape[1::-1] != size:
            raise DataError('the packed image {} is damaged; pack again'.format(number))
        blue, green, red = (image[..., channel].astype(np.int32) for channel in range(3))
        return (blue | green << 8 | red << 16).ravel()

    def sample(self, images: np.ndarray, matrices: np.ndarray, size,
               fill: Union[float, Tensor] = 0.) -> Tensor:
        """Return (N, 3, height, width) float32 BGR of 0..255 for `size` (width, height).

        images (N,): which; matrices (N, 2, 3): from image pixels to pixels of the result (pixel
        centers at integers); `fill`: the value outside, a number or (N, 1, 1, 1). Linear
        interpolation.
        """
        chosen = torch.from_numpy(np.asarray(images, np.int64)).to(self.device)
        inverse = torch.from_numpy(_inverted(matrices)).to(self.device)[..., None, None]
        x = torch.arange(size[0], device=self.device, dtype=torch.float32)
        y = torch.arange(size[1], device=self.device, dtype=torch.float32)[:, None]
        across, down = (inverse[:, row, 0] * x + inverse[:, row, 1] * y + inverse[:, row, 2]
                        for row in (0, 1))
        left, top = across.floor(), down.floor()
        return self._interpolated(chosen, left.long(), top.long(), across - left, down - top,
                                  fill)

    def _interpolated(self, chosen, left, top, right_share, lower_share, fill):
        width, height = self._sizes[chosen].T[..., None, None]
        offset = self._offset[chosen][:, None, None]
        covered = torch.zeros_like(right_share)
        total = covered.new_zeros(3, *covered.shape)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            column, row = left + dx, top + dy
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            weight = (right_share if dx else 1 - right_share) \
                * (lower_share if dy else 1 - lower_share) * inside
            covered += weight
            place = row.clamp(min=0).minimum(height - 1) * width \
                + column.clamp(min=0).minimum(width - 1)
            value = self.pixels[offset + place]
            for channel in range(3):
                total[channel] += ((value >> (8 * channel)) & 255) * weight
        return total.transpose(0, 1) + (1 - covered)[:, None] * fill


def _inverted(matrices):
    linear = np.linalg.inv(matrices[:, :, :2])
    return np.concatenate([linear, -linear @ matrices[:, :, 2:]], 2).astype(np.float32)
