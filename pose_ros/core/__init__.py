# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pose estimation without ROS: NumPy in, NumPy out."""
from pose_ros.core.errors import (CardError, EngineError, ImageError, ModelError,  # noqa: F401
                                  PoseRosError)
from pose_ros.core.estimator import PoseEstimator  # noqa: F401
from pose_ros.core.people import People  # noqa: F401
from pose_ros.core.topology import TOPOLOGIES, Topology, get_topology  # noqa: F401
