# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks, as PyTorch modules of shared blocks."""
from pose_training.models.network import PoseNetwork, Recipe
from pose_training.models.registry import NetworkSpec, create_model, get_spec, networks

__all__ = ['NetworkSpec', 'PoseNetwork', 'Recipe', 'create_model', 'get_spec',
           'networks']
