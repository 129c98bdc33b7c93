# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The version that `pose-ros --version` prints; package.xml has the same."""
VERSION = '0.1.0'
