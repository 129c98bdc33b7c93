# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that decoders share: the `outputs` of a card, and the real outputs of a network."""
from typing import List, Tuple

import numpy as np

from pose_ros.core.decoders.decoder import are_distinct_channels
from pose_ros.core.errors import CardError


def output_name(outputs, key: str, where: str) -> str:
    """Return the output name at a key; CardError if it is no text."""
    if not isinstance(outputs[key], str) or not outputs[key]:
        raise CardError('{}: {!r} must be an output name'.format(where, key))
    return outputs[key]


def one_of(outputs, key: str, choices: Tuple[str, ...], where: str) -> str:
    """Return the text at a key; CardError unless it is one of `choices`."""
    if outputs.get(key) not in choices:
        raise CardError('{}: {!r} must be one of {}'.format(where, key, ', '.join(choices)))
    return outputs[key]


def stage_names(outputs, count: int, where: str) -> List[Tuple[str, ...]]:
    """Return `stages`, `count` output names for each stage before the last; CardError if invalid.

    With one name per stage it stands alone, else in a list. Without `stages` there are none.
    """
    stages = outputs.get('stages', [])
    names = [(stage,) if count == 1 else stage for stage in stages] \
        if isinstance(stages, (list, tuple)) else [()]
    if not all(isinstance(each, (list, tuple)) and len(each) == count and all(
            isinstance(name, str) and name for name in each) for each in names):
        raise CardError("{}: 'stages' must be a list of {} per stage before the last".format(
            where, 'one output name' if count == 1 else '{} output names'.format(count)))
    return [tuple(each) for each in names]


def keypoint_channels(outputs, size: int, where: str, absent: bool = False) -> Tuple[int, ...]:
    """Return `channels`, the place of each keypoint in a tensor; CardError if invalid.

    With `absent` a place may be null, which becomes -1: the network lacks this keypoint.
    """
    channels = outputs['channels']
    if not isinstance(channels, (list, tuple)):
        channels = []
    if absent:
        channels = [-1 if channel is None else channel for channel in channels]
    present = [channel for channel in channels if channel != -1] if absent else channels
    if not are_distinct_channels(present, len(present)) or len(channels) != size or not present:
        raise CardError("{}: 'channels' must be one channel per keypoint ({}), each another "
                        'one'.format(where, size))
    return tuple(channels)


def shape_text(array: np.ndarray) -> str:
    """Return a shape as text, such as 17 x 64 x 48."""
    return ' x '.join(map(str, array.shape)) or 'a single value'
