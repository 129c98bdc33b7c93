# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How good a model is, measured with the robot's own engine and decoder."""
