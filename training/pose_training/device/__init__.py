# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train on one device: images, crops, targets and teacher are all in its memory.

It is for limited GPU time: it needs no loader processes, and the schedule follows a clock.
The networks, families, losses and geometry are those of `pose-train fit`.
"""
