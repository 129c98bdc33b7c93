# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fitting a network to data: configuration, loss, the training loop around Lightning."""
