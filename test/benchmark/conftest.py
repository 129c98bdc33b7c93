# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks are scripts: their folder is put on the path, behind everything else."""
from pathlib import Path
import sys

FOLDER = str(Path(__file__).resolve().parents[2] / 'benchmark')
if FOLDER not in sys.path:
    sys.path.append(FOLDER)
