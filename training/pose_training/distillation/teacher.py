# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Teacher networks: their maps, in the channels and on the grid of the student."""
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch

from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import load_card
from pose_ros.core.files import sha256
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import whole
from pose_training.distillation.teacher_networks import CHECKPOINTS, checkpoint_card, open_network
from pose_training.distillation.resampling import Resampler
from pose_training.families.family import Family, TeacherChannels


class Teacher:
    """A network of the student's family (ONNX, OpenVINO, a checkpoint of this package) on crops.

    `size` (width, height) of the crops [px], `family` and `stride` are the student's. The teacher
    gets the crop at `input_size`, or at the fixed size of its file. `layers` names more tensors
    for `features`. Raises DataError if the teacher and the student share no channel.
    """

    def __init__(self, path: str, size: Tuple[int, int], family: Family, stride: int,
                 card=None, backend: str = 'auto', threads: int = 0, layers: Sequence[str] = (),
                 input_size: Optional[Tuple[int, int]] = None):
        found, self._channels = match_card(path, family, card)
        network = open_network(path, input_size or size, layers, backend, threads)
        # Always letterboxed, because the PAFs of a stretched image are wrong.
        self._spec = with_input_size(found, network.size).input._replace(fit='letterbox')
        self._engine, self._layers = network.engine, tuple(layers)
        self._preprocessor = Preprocessor(self._spec)
        self._size, self._stride = size, stride
        self._resample: Optional[Resampler] = None

    def known(self) -> np.ndarray:
        """Return (C,) bool: the student's channels that this teacher has."""
        return self._channels.known

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Return (C, h, w) float32 for an (H, W, 3) uint8 BGR crop; unknown channels are 0."""
        maps, mirror = self._maps(image), self._channels.mirror
        if mirror is None:
            return maps
        mirrored = self._maps(np.ascontiguousarray(image[:, ::-1]))
        return (maps + mirrored[list(mirror), :, ::-1]) / 2

    def _maps(self, image):
        outputs = {name: torch.from_numpy(value) for name, value in self._infer(image).items()}
        channels, maps = self._channels, self._channels.read(outputs)[0].numpy()
        if self._resample is None:
            channels.measure(self._spec.width, maps.shape[2])
            self._resample = Resampler(self._size, self._stride, self._spec, channels.stride,
                                       channels.shift, channels.own_shift)
        return channels.complete(torch.from_numpy(self._resample(maps))[None])[0].numpy()

    def features(self, image: np.ndarray) -> Dict[str, np.ndarray]:
        """Return (C, h, w) float32 of each of the `layers` for an (H, W, 3) uint8 BGR crop."""
        outputs = self._infer(image)
        return {name: outputs[name][0].astype(np.float32) for name in self._layers}

    def _infer(self, image):
        self._preprocessor.write(image, whole(0, image.shape[1], image.shape[0]), 0)
        return self._engine.infer(self._preprocessor.batch)


class Ensemble:
    """The mean of several teachers, channel by channel over those that predict it."""

    def __init__(self, teachers: Sequence[Teacher]):
        self._teachers = list(teachers)
        self._counts = sum(teacher.known().astype(np.float32) for teacher in self._teachers)

    def known(self) -> np.ndarray:
        """See Teacher.known."""
        return self._counts > 0

    def maps(self, image: np.ndarray) -> np.ndarray:
        """See Teacher.maps."""
        total = sum(teacher.maps(image) * teacher.known()[:, None, None]
                    for teacher in self._teachers)
        return total / np.maximum(self._counts, 1)[:, None, None]


def match_card(path: str, family: Family, card=None) -> Tuple[ModelCard, TeacherChannels]:
    """Read a teacher's card and find the family's target channels in its outputs.

    `card` replaces the card in or beside the file. Raises DataError if there are none.
    """
    if path.lower().endswith(CHECKPOINTS) and not card:
        found = checkpoint_card(path)
    else:
        found = load_card(path, card)
    return found, family.teacher_channels(found, path)


def identity(path: str, card=None) -> List[str]:
    """Return the identity of a teacher: hashes of its files, and the card."""
    files = [path] + ([path[:-4] + '.bin'] if path.lower().endswith('.xml') else [])
    return [sha256(name) for name in files] + [repr(card)] * bool(card)
