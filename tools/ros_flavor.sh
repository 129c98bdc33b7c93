#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Prints which ROS 2 this shell offers: the name of a sourced distribution, or `wheels` (none, so the
# project brings its own from PyPI).
if [ -n "${ROS_DISTRO:-}" ] && command -v ros2 >/dev/null; then
  echo "$ROS_DISTRO"
else
  echo wheels
fi
