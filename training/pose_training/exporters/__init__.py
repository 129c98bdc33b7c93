# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Export a PyTorch network to one checked ONNX file that contains its card."""
