# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m pose_training.cli` is `pose-train`."""
from pose_training.cli.main import main

raise SystemExit(main())
