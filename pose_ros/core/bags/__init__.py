# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 2 without ROS: read, salvage, write. They need the extra `bags` (see library.py)."""
