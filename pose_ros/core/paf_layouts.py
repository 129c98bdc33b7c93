# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The layout of map channels for each skeleton format.

Orders of the published networks: OpenPose's poseParameters.cpp (COCO-18, BODY-25), its
poseParametersRender.hpp (MPI-15), and trt_pose's human_pose.json. Heatmaps come first, one per
keypoint in the order of the topology, then the background where there is one.
"""
from typing import NamedTuple, Tuple, Union

from pose_ros.core.topology import get_topology, Topology


class MapLayout(NamedTuple):
    """The channels of a network's maps.

    `limbs` are (parent, child) in the order of the PAF's channel pairs; `joining_order` lists
    indices into `limbs` in the order in which people are assembled; `axis_order` is the order
    of the two channels of a pair.
    """

    topology: Topology
    background: bool
    limbs: Tuple[Tuple[int, int], ...]
    joining_order: Tuple[int, ...]
    axis_order: str = 'xy'

    @property
    def heatmaps(self) -> int:
        """The number of heatmap channels."""
        return self.topology.size + self.background

    @property
    def pafs(self) -> int:
        """The number of PAF channels."""
        return 2 * len(self.limbs)


def _pairs(text):
    return tuple(tuple(int(keypoint) for keypoint in pair.split('-')) for pair in text.split())


def _layout(topology, channels, joining='', background=True, axis_order='xy'):
    limbs = _pairs(channels)
    order = tuple(limbs.index(limb) for limb in _pairs(joining)) or tuple(range(len(limbs)))
    return MapLayout(get_topology(topology), background, limbs, order, axis_order)


_LAYOUTS = {layout.topology.name: layout for layout in (
    _layout('coco_18',
            '1-8 8-9 9-10 1-11 11-12 12-13 1-2 2-3 3-4 2-16 1-5 5-6 6-7 5-17 1-0 0-14 0-15 '
            '14-16 15-17',
            '1-2 1-5 2-3 3-4 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 1-0 0-14 14-16 0-15 15-17 '
            '2-16 5-17'),
    _layout('body_25',
            '1-8 9-10 10-11 8-9 8-12 12-13 13-14 1-2 2-3 3-4 2-17 1-5 5-6 6-7 5-18 1-0 0-15 0-16 '
            '15-17 16-18 14-19 19-20 14-21 11-22 22-23 11-24',
            '1-8 1-2 1-5 2-3 3-4 5-6 6-7 8-9 9-10 10-11 8-12 12-13 13-14 1-0 0-15 15-17 0-16 '
            '16-18 2-17 5-18 14-19 19-20 14-21 11-22 22-23 11-24'),
    _layout('mpi_15', '0-1 1-2 2-3 3-4 1-5 5-6 6-7 1-14 14-8 8-9 9-10 14-11 11-12 12-13'),
    _layout('trt_pose_18',
            '15-13 13-11 16-14 14-12 11-12 5-7 6-8 7-9 8-10 1-2 0-1 0-2 1-3 2-4 3-5 4-6 17-0 17-5 '
            '17-6 17-11 17-12', background=False, axis_order='yx'),
    MapLayout(get_topology('hand_21'), True, (), ()),
    MapLayout(get_topology('face_70'), True, (), ()),
)}


def map_layout(topology: Union[str, Topology]) -> MapLayout:
    """Return the layout of a skeleton format; without a published one, of its own limbs.

    Raises PoseRosError for an unknown name.
    """
    if isinstance(topology, str):
        topology = get_topology(topology)
    if topology.name in _LAYOUTS:
        return _LAYOUTS[topology.name]
    return MapLayout(topology, True, topology.limbs, tuple(range(len(topology.limbs))))
