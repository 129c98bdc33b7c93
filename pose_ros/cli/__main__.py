# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Let `python3 -m pose_ros.cli` do what `pose-ros` does."""
from pose_ros.cli.main import main

raise SystemExit(main())
