# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The libraries that read and write bags: rosbags, and mcap for damaged files."""
import importlib
import sys

from pose_ros.core.errors import PoseRosError

_MODULES = ('rosbags.rosbag2', 'rosbags.typesys', 'mcap.stream_reader')
_INSTALL = "python3 -m pip install 'rosbags>=0.11' mcap"


def need_bag_libraries() -> None:
    """Raise PoseRosError, with the pip command, unless the libraries can be imported."""
    for module in _MODULES:
        try:
            importlib.import_module(module)
        except (ImportError, SyntaxError) as error:
            raise PoseRosError('bags need {}, which cannot be imported ({}): {}  (Python 3.10 or '
                               'newer; this is {}.{})'.format(
                                   module.partition('.')[0], error, _INSTALL, *sys.version_info))
