# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Families of networks: the meaning of their outputs, and all code that depends on it."""
