# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Quality-of-service profiles, by name."""
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

SENSOR_DATA, RELIABLE = 'sensor_data', 'reliable'

SKELETONS_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
DRAWING_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
LATCHED_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                         durability=DurabilityPolicy.TRANSIENT_LOCAL)


def image_qos(name: str) -> QoSProfile:
    """Profile of an image subscription or publisher: only the newest frame counts."""
    reliability = ReliabilityPolicy.RELIABLE if name == RELIABLE else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=reliability)


def choose_image_qos(setting: str, publishers) -> str:
    """Resolve 'auto': reliable if every publisher (TopicEndpointInfo) is, else sensor_data."""
    if setting != 'auto':
        return setting
    reliable = [info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in publishers]
    return RELIABLE if reliable and all(reliable) else SENSOR_DATA
