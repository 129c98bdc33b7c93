#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Prints which ROS 2 is used: the name of a sourced distribution; without one the project brings its own from
# PyPI: `wheels` (Kilted), or `wheels-jazzy` with ROS=jazzy. What is after `wheels` also ends the names of
# .venv, build and install, so that the two do not disturb each other.
if [ -n "${ROS_DISTRO:-}" ] && command -v ros2 >/dev/null; then
  if [ -n "${ROS:-}" ] && [ "$ROS" != "$ROS_DISTRO" ]; then
    echo "ROS=$ROS, but this shell has sourced '$ROS_DISTRO': leave ROS= out, or use a new shell." >&2
    exit 1
  fi
  echo "$ROS_DISTRO"
  exit
fi
case ${ROS:-kilted} in
  kilted) echo wheels ;;
  jazzy) echo wheels-jazzy ;;
  *)
    echo "ROS=$ROS: there are wheels of kilted (the default) and jazzy only." >&2
    exit 1
    ;;
esac
