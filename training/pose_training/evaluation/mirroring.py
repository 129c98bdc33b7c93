# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a network says of a mirrored image, told as of the image itself."""
from typing import Dict, List, NamedTuple

import numpy as np

from pose_ros.core.decoders.paf import PafOutputs
from pose_ros.core.topology import Topology


class Swap(NamedTuple):
    """Channels of one tensor that change places when its image is mirrored.

    `target` takes `source` times `sign` (n, 1, 1); `unknown` channels have no twin to take.
    """

    target: List[int]
    source: List[int]
    sign: np.ndarray
    unknown: List[int]


def channel_swaps(outputs: PafOutputs, topology: Topology) -> Dict[str, List[Swap]]:
    """Return, by tensor, which channels change places when the image is mirrored.

    A joint takes its twin's map. A limb takes the field of the limb between the twins, whose x
    component points the other way; where that limb runs from child to parent, all of it does.
    """
    heat, twins = list(outputs.heat_channels), topology.mirror
    joints = Swap(heat, [heat[twin] for twin in twins], np.ones((len(heat), 1, 1), np.float32), [])
    swaps: Dict[str, List[Swap]] = {outputs.heat_tensor: [joints]}
    swaps.setdefault(outputs.paf_tensor, []).append(_limb_swap(outputs, twins))
    return swaps


def _limb_swap(outputs, twins):
    first = {(parent, child): channel for parent, child, channel in outputs.limbs}
    first_axis = np.array((-1, 1) if outputs.axis_order == 'xy' else (1, -1))
    target, source, signs, unknown = [], [], [], []
    for parent, child, channel in outputs.limbs:
        twin = twins[parent], twins[child]
        forward = twin in first
        if not forward and twin[::-1] not in first:
            unknown += [channel, channel + 1]
            continue
        other = first[twin if forward else twin[::-1]]
        target += [channel, channel + 1]
        source += [other, other + 1]
        signs += list(first_axis if forward else -first_axis)
    return Swap(target, source, np.array(signs, np.float32).reshape(-1, 1, 1), unknown)


def unmirror(maps: np.ndarray, swaps: List[Swap]) -> np.ndarray:
    """Return maps (C, h, w), whose columns are turned back already, with left and right right."""
    fixed = maps.copy()
    for swap in swaps:
        fixed[swap.target] = maps[swap.source] * swap.sign
    return fixed


def known(maps: np.ndarray, swaps: List[Swap]) -> np.ndarray:
    """Return (C, 1, 1) float32: 0 for the channels that a mirrored image tells nothing of."""
    share = np.ones((len(maps), 1, 1), np.float32)
    for swap in swaps:
        share[swap.unknown] = 0
    return share
