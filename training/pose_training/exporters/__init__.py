# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch network to one ONNX file that carries its card and was checked."""
