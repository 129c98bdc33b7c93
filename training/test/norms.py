# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batch norms that have seen something, for tests of what folds them."""
from torch import nn


def with_statistics(network):
    """Give batch norms values that a mistake in folding could not survive."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .5, 1.5)
            nn.init.uniform_(module.bias, -.5, .5)
            nn.init.uniform_(module.running_mean, -.5, .5)
            nn.init.uniform_(module.running_var, .5, 1.5)
    return network.eval()
