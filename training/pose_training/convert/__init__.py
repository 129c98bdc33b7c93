# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Turn datasets of other formats into COCO keypoint files; one module for each format."""
