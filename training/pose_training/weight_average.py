# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The exponential average of the weights of a network over its last training steps."""
from typing import Dict

import torch
from torch import Tensor, nn


class RunningAverage:
    """Keeps the average of a network's weights, in float32 where it trains.

    The running statistics of batch norms are averaged over the same steps as the weights, so that
    they fit each other; counters are taken as they are. At the n-th step the decay is
    n / (n + 9), at most `decay`, so that the initial weights have little influence.
    """

    def __init__(self, decay: float):
        self.decay, self.steps = decay, 0
        self.state: Dict[str, Tensor] = {}

    def begin(self, network: nn.Module) -> None:
        """Begin with the weights of a network."""
        self.state = {name: value.detach().clone()
                      for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Add the weights of a network to the average."""
        decay = min(self.decay, self.steps / (self.steps + 9.))
        self.steps += 1
        state = network.state_dict()
        moving = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.state[name] for name in moving],
                             [state[name] for name in moving], 1 - decay)
        for name in state.keys() - moving:
            self.state[name].copy_(state[name])
