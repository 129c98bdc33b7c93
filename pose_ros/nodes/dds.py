# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fast DDS settings for camera images between processes of one computer."""
import os
from typing import Dict

_DISTROS_WITH_THE_OLD_NAME = ('humble', 'iron', 'jazzy')


def shared_memory_settings(environment: Dict[str, str]) -> Dict[str, str]:
    """Return an environment in which Fast DDS uses config/fastdds.xml; the user's own choice wins.

    Other DDS vendors ignore it. It has to hold for camera and estimator alike.
    """
    old = environment.get('ROS_DISTRO') in _DISTROS_WITH_THE_OLD_NAME
    variable = 'FASTRTPS_DEFAULT_PROFILES_FILE' if old else 'FASTDDS_DEFAULT_PROFILES_FILE'
    result = dict(environment)
    for prefix in environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        profiles = os.path.join(prefix, 'share', 'pose_ros', 'config', 'fastdds.xml')
        if os.path.isfile(profiles):
            result.setdefault(variable, profiles)
    return result
