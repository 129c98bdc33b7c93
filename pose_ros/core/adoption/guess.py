# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Guess: what a file seems to be, and how its outputs are searched by shape."""
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from pose_ros.core.adoption.probe import Maps, Probe

_NUMBER = re.compile(r'(\d+)')
PLAIN = {'scale': 1.0, 'mean': [0.0] * 3, 'std': [1.0] * 3}  # 0 to 255
UNIT = dict(PLAIN, scale=1 / 255.)
IMAGENET = {'scale': 1 / 255., 'mean': [.485, .456, .406], 'std': [.229, .224, .225]}


class Guess(NamedTuple):
    """What a file seems to be: the kind in words, and the parts of its card.

    `outputs`: names of the outputs that are kept; those of them in `channels_first` are maps whose
    channels must become the first axis.
    """

    kind: str
    task: str
    topology: Any
    input: Dict[str, Any]
    decoder: Dict[str, Any]
    outputs: Tuple[str, ...]
    channels_first: Tuple[str, ...] = ()


def make_guess(kind: str, topology: Any, spec: Dict[str, Any], decoder: Tuple[str, Dict],
               outputs: Sequence[str], maps: Sequence[Maps] = (), task: str = 'pose',
               settings: Optional[Dict[str, Any]] = None) -> Guess:
    """Return a Guess; `spec` holds what differs from the usual input, `maps` are outputs of it."""
    values = dict({'fit': 'letterbox', 'align': 'center', 'interpolation': 'linear',
                   'pad_value': 0}, **spec)
    return Guess(kind, task, topology, values,
                 {'type': decoder[0], 'outputs': decoder[1], 'settings': settings or {}},
                 tuple(outputs), tuple(each.name for each in maps if each.last))


def by_shape(probe: Probe, *shapes) -> Optional[List[str]]:
    """Return one output name per shape; None for an axis takes any size."""
    names = []
    for shape in shapes:
        fitting = [name for name, array in probe.outputs.items() if name not in names
                   and array.ndim == len(shape)
                   and all(want in (None, have) for want, have in zip(shape, array.shape))]
        if not fitting:
            return None
        names.append(fitting[0])
    return names


def in_order(maps: Sequence[Maps]) -> List[Maps]:
    """Return outputs in the order of stages: by their numbers if their names differ in these only.

    Else in the order of the file. As text, stage 10 would stand before stage 9.
    """
    words = [_NUMBER.split(each.name) for each in maps]
    if len({tuple(each[::2]) for each in words}) > 1:
        return list(maps)
    numbers = [tuple(map(int, each[1::2])) for each in words]
    return [each for _, each in sorted(zip(numbers, maps))]


def cell_count(probe: Probe) -> int:
    """Return the number of cells of strides 8, 16 and 32."""
    return sum((probe.height // stride) * (probe.width // stride) for stride in (8, 16, 32))
