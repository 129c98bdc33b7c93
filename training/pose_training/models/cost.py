# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The cost of a network: parameters and multiply-adds."""
import copy

import torch
from torch.utils.flop_counter import FlopCounterMode

from pose_training.models.network import PoseNetwork


def count_parameters(network: torch.nn.Module) -> int:
    """Return the number of trainable values (without running statistics)."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_adds(network: PoseNetwork, width: int, height: int) -> int:
    """Return the multiply-adds of all convolutions for one image, without running them."""
    shape_only = copy.deepcopy(network).to('meta').eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shape_only(torch.empty(1, 3, height, width, device='meta'))
    return counter.get_total_flops() // 2
