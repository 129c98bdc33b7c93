#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the messages and the overlay into build/ and install/ with colcon (ROS=jazzy: build-jazzy/,
# install-jazzy/). Needs .venv or .venv-jazzy (make venv).
set -e
cd "$(dirname "$0")/.."
flavor=$(tools/ros_flavor.sh)
suffix=
[[ $flavor == wheels-* ]] && suffix=${flavor#wheels}
venv=$PWD/.venv$suffix

# CMake's cache does not survive another Python, ROS or folder.
made_for="$flavor $("$venv/bin/python" -V) $PWD"
if [ -d "build$suffix" ] && [ "$(cat "build$suffix/made-for" 2>/dev/null)" != "$made_for" ]; then
  rm -rf "build$suffix" "install$suffix"
fi
mkdir -p "build$suffix"
echo "$made_for" > "build$suffix/made-for"

folders=(--build-base "build$suffix" --install-base "install$suffix")
# The wheels have no tf2_msgs.
[[ $flavor == wheels* ]] && folders+=(--base-paths . tools/interfaces)
arguments=(build "${folders[@]}" --symlink-install --event-handlers desktop_notification-
           --cmake-args -DBUILD_TESTING=OFF)
if [[ $flavor == wheels* ]]; then
  exec tools/env.sh python -m colcon --log-base "log$suffix" --log-level error "${arguments[@]}" -GNinja \
    -DPython3_EXECUTABLE="$venv/bin/python"
fi
exec colcon "${arguments[@]}"
