# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From annotated images to what a network is trained on: crops, target maps, weights."""
