#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Says what the machine lacks to make .venv and to build the messages, and the line that installs it.
#   tools/check_build_tools.sh PYTHON FLAVOUR
python=$1
flavor=$2
missing=()
packages=()

lacks() {  # what it is, the apt package that holds it
  missing+=("$1")
  packages+=("$2")
}

command -v cc >/dev/null || lacks 'a C compiler' build-essential
command -v c++ >/dev/null || lacks 'a C++ compiler' build-essential
command -v cmake >/dev/null || lacks cmake cmake
[[ $flavor == wheels* ]] || command -v colcon >/dev/null || lacks colcon python3-colcon-common-extensions
# apt names these after the Python's version; the ones without a number serve its default Python.
versioned=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
[ "$python" = /usr/bin/python3 ] && versioned=python3
"$python" -c 'import ensurepip, venv' 2>/dev/null || lacks "the venv module of $python" "$versioned-venv"
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
[ -f "$headers/Python.h" ] || lacks "$headers/Python.h" "$versioned-dev"

if [ ${#missing[@]} != 0 ]; then
  echo "This machine lacks: $(IFS=,; echo "${missing[*]}" | sed 's/,/, /g')." >&2
  echo "Debian, Ubuntu: sudo apt install $(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')" >&2
  exit 1
fi
