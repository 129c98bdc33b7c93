# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batch norms with random statistics, for tests of folding."""
from torch import nn


def with_statistics(network):
    """Set the values of batch norms so that a mistake in folding changes the outputs."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .5, 1.5)
            nn.init.uniform_(module.bias, -.5, .5)
            nn.init.uniform_(module.running_mean, -.5, .5)
            nn.init.uniform_(module.running_var, .5, 1.5)
    return network.eval()
