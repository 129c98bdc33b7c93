#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the tests of pose_ros/core, of the simulated TensorRT and of the benchmarks under a real Python 3.6,
# the one of JetPack 4, where there is one.
set -e
cd "$(dirname "$0")/.."

python=
for candidate in python3.6 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.6.*/bin/python; do
  if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo 'Tests under Python 3.6: skipped, no python3.6 with venv on PATH or in pyenv.' \
       '(test/test_code_rules.py has checked the syntax.)'
  exit 0
fi

if [ requirements/python36.txt -nt .venv36/.installed ]; then
  "$python" -m venv .venv36
  .venv36/bin/python -m pip install -qq --disable-pip-version-check 'pip>=21,<22'
  .venv36/bin/python -m pip install -qq --prefer-binary -r requirements/python36.txt
  touch .venv36/.installed
fi
echo "Tests of test/core, test/simulated and test/benchmark under $(.venv36/bin/python -V):"
exec env -u LD_LIBRARY_PATH PYTHONPATH="$PWD" .venv36/bin/python -m pytest \
  test/core test/simulated test/benchmark "$@"
