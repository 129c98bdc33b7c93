# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train a network: configuration, loss, and the training loop with Lightning."""
