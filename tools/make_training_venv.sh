#!/usr/bin/env bash
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes .venv-training: PyTorch and training/, apart from .venv, which must do without.
set -e
cd "$(dirname "$0")/.."
python=$(tools/find_python.sh wheels)
echo "Making .venv-training with $python; PyTorch makes this a minute or more"
"$python" -m venv .venv-training
# First of all, because a range in pyproject.toml would bring the newest one with its CUDA libraries.
.venv-training/bin/python -m pip install -qq -r requirements/training.txt
.venv-training/bin/python -m pip install -qq -e . -e ./training
