# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train the logistic models of part_pairwise networks on their own detections."""
