# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Distillation: teachers, their targets and their hints."""
