# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 face of pose_ros: thin rclpy nodes around pose_ros.core."""
