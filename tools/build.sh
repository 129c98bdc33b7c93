#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the messages and the overlay into build/ and install/ with colcon. Needs .venv (make venv).
set -e
cd "$(dirname "$0")/.."
flavor=$(tools/ros_flavor.sh)

# CMake's cache does not survive another Python, ROS or folder.
made_for="$flavor $(.venv/bin/python -V) $PWD"
if [ -d build ] && [ "$(cat build/made-for 2>/dev/null)" != "$made_for" ]; then
  rm -rf build install
fi
mkdir -p build
echo "$made_for" > build/made-for

arguments=(build --symlink-install --event-handlers desktop_notification- --cmake-args -DBUILD_TESTING=OFF)
if [ "$flavor" = wheels ]; then
  exec tools/env.sh python -m colcon --log-level error "${arguments[@]}" -GNinja \
    -DPython3_EXECUTABLE="$PWD/.venv/bin/python"
fi
exec colcon "${arguments[@]}"
