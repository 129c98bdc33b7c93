#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command in the project's environment: the virtual environment, the built messages, the sources.
#   tools/env.sh python -m pytest test/core
#   POSE_ROS_ISOLATE=1 tools/env.sh ...    the same, unseen by other ROS 2 programs of the network
#   ROS=jazzy tools/env.sh ...             the same, with the wheels of Jazzy (after make build ROS=jazzy)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ $# = 0 ]; then
  echo 'usage: tools/env.sh COMMAND [ARGUMENT ...]' >&2
  exit 2
fi
flavor=$("$root/tools/ros_flavor.sh") || exit
suffix=
[[ $flavor == wheels-* ]] && suffix=${flavor#wheels}
venv=$root/.venv$suffix
if [ ! -x "$venv/bin/python" ]; then
  echo "There is no $venv yet: run 'make build${ROS:+ ROS=$ROS}' first." >&2
  exit 1
fi
made_for=$(cat "$venv/ros-flavor" 2>/dev/null)
if [ -n "$made_for" ] && [ "$made_for" != "$flavor" ]; then
  echo "$venv was made for ROS '$made_for', this shell has '$flavor': run 'make build' again," \
       'or use a shell with the ROS setup file that was sourced then.' >&2
  exit 1
fi

# Prepends $2 to the path variable $1.
prepend() {
  export "$1=$2${!1:+:${!1}}"
}

export VIRTUAL_ENV=$venv
prepend PATH "$venv/bin"
if [[ $flavor == wheels* ]]; then
  prepend AMENT_PREFIX_PATH "$venv"
  prepend CMAKE_PREFIX_PATH "$venv"
  # What the wheels do themselves by starting every Python process twice.
  for folder in "$venv"/lib/python3*/site-packages/ros_*.libs "$venv/lib"; do
    [ -d "$folder" ] && prepend LD_LIBRARY_PATH "$folder"
  done
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
fi
if [ -f "$root/install$suffix/local_setup.bash" ]; then
  # shellcheck disable=SC1090
  . "$root/install$suffix/local_setup.bash"
fi
# The sources come first; pose_ros/__init__.py adds the messages of the overlay to them.
prepend PYTHONPATH "$root"

if [ -n "${POSE_ROS_ISOLATE:-}" ]; then
  if [ -z "${ROS_LOCALHOST_ONLY:-}${ROS_AUTOMATIC_DISCOVERY_RANGE:-}" ]; then
    # Humble reads the first, later ones the second.
    if [ "$flavor" = humble ]; then
      export ROS_LOCALHOST_ONLY=1
    else
      export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
    fi
  fi
  export ROS_DOMAIN_ID=${ROS_DOMAIN_ID:-$(($$ % 101 + 1))}
fi
exec "$@"
