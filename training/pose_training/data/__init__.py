# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Make training data of annotated images: crops, target maps, weights."""
