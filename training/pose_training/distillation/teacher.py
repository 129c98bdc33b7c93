# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that know already: their maps, in the channels and on the grid of the student."""
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import load_card, sha256
from pose_ros.core.decoders.paf import PafOutputs, parse_outputs
from pose_ros.core.image import Preprocessor, make_transform
from pose_ros.core.topology import get_topology
from pose_training.distillation.teacher_networks import CHECKPOINTS, checkpoint_card, open_network
from pose_training.distillation.resampling import Resampler
from pose_training.errors import DataError
from pose_training.models.layouts import MapLayout


class ChannelMap(NamedTuple):
    """For each channel of the student: the teacher's channel, a sign; -1 where it has none."""

    heat: Tuple[int, ...]
    pafs: Tuple[int, ...]
    signs: Tuple[float, ...]


class Teacher:
    """Any network with a `paf` card (ONNX, OpenVINO, a checkpoint of this package), run on crops.

    `size` (width, height) of the crops [px], `layout` and `stride` are the student's. The teacher
    sees the crop at `input_size`, or at the size that its file fixes. `layers` names what else it
    shall yield: see `features`. Raises DataError if the teacher and the student share no channel.
    """

    def __init__(self, path: str, size: Tuple[int, int], layout: MapLayout, stride: int,
                 card=None, backend: str = 'auto', threads: int = 0, layers: Sequence[str] = (),
                 input_size: Optional[Tuple[int, int]] = None):
        found, self._outputs, self._channels = match_card(path, layout, card)
        network = open_network(path, input_size or size, layers, backend, threads)
        # Letterboxed whatever the card says: a stretched picture has stretched fields.
        self._spec = with_input_size(found, network.size).input._replace(resize='letterbox')
        self._engine, self._layers = network.engine, tuple(layers)
        self._preprocessor = Preprocessor(self._spec)
        transform = make_transform(size[0], size[1], self._spec)
        self._resample = Resampler((size[0] // stride, size[1] // stride), stride, transform,
                                   self._outputs.stride)
        self._layout = layout

    def known(self) -> np.ndarray:
        """Return (C,) bool: the student's channels that this teacher has."""
        return known_channels(self._channels, self._layout)

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Return (C, h, w) float32 for an (H, W, 3) uint8 BGR crop; unknown channels are 0."""
        outputs = self._infer(image)
        heat = _take(outputs[self._outputs.heat_tensor][0], self._channels.heat).clip(0, 1)
        fields = _take(outputs[self._outputs.paf_tensor][0], self._channels.pafs)
        fields *= np.array(self._channels.signs, np.float32)[:, None, None]
        maps = self._resample(np.concatenate([heat, fields]))
        heat, fields = maps[:len(heat)], maps[len(heat):]
        background = [1 - heat.max(0, keepdims=True)] * self._layout.background
        return np.concatenate([heat] + background + [fields])

    def features(self, image: np.ndarray) -> Dict[str, np.ndarray]:
        """Return (C, h, w) float32 of each of the `layers` for an (H, W, 3) uint8 BGR crop."""
        outputs = self._infer(image)
        return {name: outputs[name][0].astype(np.float32) for name in self._layers}

    def _infer(self, image):
        return self._engine.infer(self._preprocessor.prepare(image)[0])


class Ensemble:
    """Several teachers, averaged where they know."""

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


def match_card(path: str, layout: MapLayout,
               card=None) -> Tuple[ModelCard, PafOutputs, ChannelMap]:
    """Read a teacher's card, and find the student's channels in it; DataError if there are none.

    `card` replaces the card in or beside the file.
    """
    if path.endswith(CHECKPOINTS) and not card:
        found = checkpoint_card(path)
    else:
        found = load_card(path, card)
    if found.family != 'paf':
        raise DataError('the teacher {} is of the family {!r}: soft maps need heat maps and part '
                        'affinity fields (`paf`)'.format(path, found.family))
    outputs = parse_outputs(found)
    channels = _match(found.topology, outputs, layout)
    if max(channels.heat + channels.pafs) < 0:
        raise DataError('the teacher {} predicts {}, of which {} has nothing: choose a teacher '
                        'with joints of the same names'.format(
                            path, found.topology.name, layout.topology))
    return found, outputs, channels


def known_channels(channels: ChannelMap, layout: MapLayout) -> np.ndarray:
    """Return (C,) bool: which of the student's channels a teacher has; the background with all."""
    heat = np.array(channels.heat) >= 0
    background = [heat.all()] * layout.background
    return np.concatenate([heat, background, np.array(channels.pafs) >= 0]).astype(bool)


def identity(path: str, card=None) -> List[str]:
    """Return what tells a teacher from others, whatever its file is called."""
    files = [path] + ([path[:-4] + '.bin'] if path.endswith('.xml') else [])
    return [sha256(name) for name in files] + [repr(card)] * bool(card)


def _take(maps, channels):
    taken = maps[[max(channel, 0) for channel in channels]].astype(np.float32)
    taken[[channel < 0 for channel in channels]] = 0
    return taken


def _match(topology, outputs: PafOutputs, layout: MapLayout) -> ChannelMap:
    """Find joints by name and limbs by the names of their ends; a limb may point the other way."""
    names = get_topology(layout.topology).keypoint_names
    own = [topology.index(name) for name in names]
    heat = tuple(-1 if joint is None else outputs.heat_channels[joint] for joint in own)
    first = {(parent, child): channel for parent, child, channel in outputs.limbs}
    pafs: List[int] = []
    signs: List[float] = []
    swap = outputs.axis_order != layout.axis_order
    for parent, child in layout.limbs:
        ends = own[parent], own[child]
        channel, sign = (first[ends], 1.) if ends in first else (
            first.get(ends[::-1], -1), -1.)
        pair = [channel, channel + 1] if channel >= 0 else [-1, -1]
        pafs += pair[::-1] if swap else pair
        signs += [sign, sign]
    return ChannelMap(heat, tuple(pafs), tuple(signs))
