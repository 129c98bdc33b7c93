#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Prints the Python to build a virtual environment with: $PYTHON if set, else the first that fits.
#   tools/find_python.sh FLAVOUR      FLAVOUR as tools/ros_flavor.sh prints it
flavor=$1
newest=14
[ "$flavor" = wheels-jazzy ] && newest=12  # the last one that NumPy 1 has wheels for

fits() {  # with a ROS installation, only the Python that its rclpy is built for
  if [[ $flavor == wheels* ]]; then
    "$1" -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null
  else
    "$1" -c 'import rclpy' 2>/dev/null
  fi
}

if [ -n "${PYTHON:-}" ]; then
  candidates=("$PYTHON")
else
  candidates=(python3 python3.12 python3.11 python3.13 python3.10 python3.14 /usr/bin/python3)
  candidates+=("${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[0-4]*/bin/python3)
fi
for candidate in "${candidates[@]}"; do
  if fits "$candidate"; then
    "$candidate" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done

if [[ $flavor == wheels* ]]; then
  echo "No Python 3.10 to 3.$newest found (tried: ${candidates[*]}), and the ROS 2 wheels need one." >&2
  echo "Install one (Debian, Ubuntu: sudo apt install python3 python3-venv python3-dev) or name it:" \
       "make build PYTHON=/path/to/python3.11" >&2
else
  echo "ROS $flavor is sourced, but no Python here can import rclpy (tried: ${candidates[*]})." >&2
  echo "Install it (sudo apt install ros-$flavor-ros-base) or name the Python: PYTHON=/usr/bin/python3" >&2
fi
exit 1
