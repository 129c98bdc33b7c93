#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command with ROS 2 and pose_ros on its paths.
# Official images have ROS in /opt/ros/DISTRO; those for Jetson build it from source, one folder deeper.
for setup in "/opt/ros/$ROS_DISTRO/install/setup.bash" "/opt/ros/$ROS_DISTRO/setup.bash"; do
  if [ -f "$setup" ]; then
    . "$setup"
    break
  fi
done
. /workspace/install/setup.bash
exec "$@"
