# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train, import and export the networks that pose_ros runs; offline, with PyTorch."""
