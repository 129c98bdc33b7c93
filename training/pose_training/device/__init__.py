# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Training on one device alone: images, crops, targets and teacher all stay in its memory.

For GPU time that is short: nothing waits for loader processes, and the schedule follows a clock.
The networks, families, losses and geometry are those of `pose-train fit`.
"""
