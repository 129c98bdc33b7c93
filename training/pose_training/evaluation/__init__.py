# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Measure the accuracy of a model, with the robot's own engine and decoder."""
