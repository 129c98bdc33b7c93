# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Families of networks: what their outputs mean, and all that depends on it."""
