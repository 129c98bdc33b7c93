# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers on the device of the student, run on whole batches after their transfer.

In the loader processes a teacher runs on the CPU, crop by crop, and a GPU would wait for them.
"""
from typing import Sequence, Tuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from pose_training.data.dataset import as_tensor, CropRequest, PoseDataset
from pose_training.distillation.teacher_networks import checkpoint_network
from pose_training.distillation.resampling import Resampler
from pose_training.distillation.teacher import match_card
from pose_training.families.family import Family
from pose_training.models.normalization import Normalization


class PairedCrops(Dataset):
    """Crops for the student and for teachers; those of teachers have no changes of light."""

    def __init__(self, crops: PoseDataset):
        self._crops = crops

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, draw: CropRequest):
        """Return image, maps and weights (float16), the clean image, and `complete`."""
        crop, targets = self._crops.draw(draw.sample, draw.variant)
        return (as_tensor(self._crops.degraded(crop, draw.seed)),
                torch.from_numpy(targets.maps).half(), torch.from_numpy(targets.weights).half(),
                as_tensor(crop.image), torch.tensor(crop.complete))


class DeviceTeacher:
    """A checkpoint of this package with heatmaps and PAFs, run on batches of crops by PyTorch.

    `size` (width, height) of the crops [px], `family` and `stride` are the student's; `known` (C,)
    bool are the student's channels that it has. Raises DataError if crops of that size are invalid
    for it, or if it shares no channel with the student.
    """

    def __init__(self, path: str, size: Tuple[int, int], family: Family, stride: int):
        found, self._channels = match_card(path, family)
        self._network = checkpoint_network(path, size, 'data.size').requires_grad_(False)
        self._normalize = Normalization(found.input)
        self._memory_format = torch.contiguous_format
        self.known = torch.from_numpy(self._channels.known)
        spec = found.input._replace(width=size[0], height=size[1])
        own = self._channels.stride
        resample = Resampler(size, stride, spec, own, self._channels.shift,
                             self._channels.own_shift)
        self._matrices = [torch.from_numpy(matrix) for matrix in resample.matrices(
            (size[1] // own, size[0] // own))]

    def to(self, device: torch.device, memory_format: torch.memory_format) -> None:
        """Move to a device; the images get the layout `memory_format`."""
        self._memory_format = memory_format
        self._network.to(device, memory_format=memory_format)
        self._normalize.to(device)
        self.known = self.known.to(device)
        self._matrices = [matrix.to(device) for matrix in self._matrices]

    @torch.no_grad()
    def maps(self, images: Tensor) -> Tensor:
        """Return (N, C, h, w) float32 for (N, 3, H, W) uint8 BGR; unknown channels are 0."""
        maps, mirror = self._maps(images), self._channels.mirror
        if mirror is None:
            return maps
        return (maps + self._maps(images.flip(3))[:, list(mirror)].flip(3)) / 2

    def _maps(self, images):
        images = self._normalize(images).contiguous(memory_format=self._memory_format)
        network = self._network
        maps = self._channels.read(network.family.exported(network(images)[-1]))
        if self._matrices:
            # In float32: the weights of a mean would lose precision in that of the step.
            with torch.autocast(images.device.type, enabled=False):
                down, across = self._matrices
                maps = down @ maps @ across.T
        return self._channels.complete(maps)


class DeviceTeachers:
    """Mixes the outputs of teachers into the labels of a batch.

    A channel is averaged over the teachers that predict it. `share` is the weight of the teachers
    in labelled targets: see Family.mix.
    """

    def __init__(self, teachers: Sequence[DeviceTeacher], family: Family, share: float):
        self._teachers, self._family, self._share = list(teachers), family, share

    def to(self, device: torch.device, memory_format: torch.memory_format) -> None:
        """See DeviceTeacher.to."""
        for teacher in self._teachers:
            teacher.to(device, memory_format)

    def mix(self, maps: Tensor, weights: Tensor, images: Tensor,
            complete: Tensor) -> Tuple[Tensor, Tensor]:
        """Return the targets (N, C, h, w) float32 and their weights, for the crops of a batch."""
        counts = torch.stack([teacher.known for teacher in self._teachers]).sum(0)
        total = sum(teacher.maps(images) * teacher.known.view(-1, 1, 1)
                    for teacher in self._teachers)
        soft = total / counts.clamp(min=1).view(-1, 1, 1)
        return self._family.mix(maps.float(), weights.float(), soft, counts > 0, self._share,
                                complete)
