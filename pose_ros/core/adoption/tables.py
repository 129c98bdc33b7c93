# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Orders of keypoints in public networks, where they differ from the bundled topologies."""
from typing import Any, Dict, List, Optional, Union

from pose_ros.core.topology import get_topology

# AI Challenger, in the order of PoseEstimationForMobile.
AIC_14 = {
    'name': 'aic_14',
    'keypoint_names': ['head_top', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist',
                       'left_shoulder', 'left_elbow', 'left_wrist', 'right_hip', 'right_knee',
                       'right_ankle', 'left_hip', 'left_knee', 'left_ankle'],
    'limbs': [[0, 1], [1, 2], [2, 3], [3, 4], [1, 5], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10],
              [1, 11], [11, 12], [12, 13]]}

# EfficientPose's maps, by the names of mpii_16.
EFFICIENTPOSE = ('head_top', 'upper_neck', 'right_shoulder', 'right_elbow', 'right_wrist',
                 'thorax', 'left_shoulder', 'left_elbow', 'left_wrist', 'pelvis', 'right_hip',
                 'right_knee', 'right_ankle', 'left_hip', 'left_knee', 'left_ankle')

# BlazePose's 33 landmarks: the rows of coco_17.
BLAZEPOSE_COCO_17 = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]

# MediaPipe's face mesh: the landmarks next to the 68 points of iBUG; the pupils are the irises of
# newer meshes, which the mesh of 468 points lacks.
FACE_MESH_68 = [
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]

_BY_COUNT = {15: 'mpi_15', 16: 'mpii_16', 17: 'coco_17', 18: 'coco_18', 21: 'hand_21',
             25: 'body_25', 70: 'face_70'}


def topology_of(count: int) -> Union[str, Dict[str, Any]]:
    """Return the usual topology of networks with this number of keypoints, else a nameless one."""
    if count == 14:
        return AIC_14
    if count in _BY_COUNT:
        return _BY_COUNT[count]
    return {'name': 'keypoints_{}'.format(count), 'limbs': [],
            'keypoint_names': ['keypoint_{}'.format(k) for k in range(count)]}


def channels_of(names, topology: str) -> List[Optional[int]]:
    """Return the place of each keypoint of a bundled topology in a list of names."""
    return [names.index(name) for name in get_topology(topology).keypoint_names]
