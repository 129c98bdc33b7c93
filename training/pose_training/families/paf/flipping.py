# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The channels of a `paf` card that are exchanged when the image is flipped."""
from typing import Dict, List

import numpy as np

from pose_ros.core.decoders.paf import PafOutputs
from pose_ros.core.topology import Topology
from pose_training.families.mirroring import Swap


def channel_swaps(outputs: PafOutputs, topology: Topology) -> Dict[str, List[Swap]]:
    """Return the swaps of every tensor.

    A keypoint gets the heatmap of its twin on the other side. A limb gets the PAF of the limb on
    the other side with the x component negated, or with the y component negated if that limb
    runs from child to parent.
    """
    heatmaps, twins = list(outputs.heat_channels), topology.mirror
    keypoints = Swap(heatmaps, [heatmaps[twin] for twin in twins],
                     np.ones((len(heatmaps), 1, 1), np.float32), [])
    swaps: Dict[str, List[Swap]] = {outputs.heat_tensor: [keypoints]}
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
