# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The weights averaged over the last steps: what is validated, saved and exported."""
from typing import Dict, Optional

import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from pose_training.models import PoseNetwork

_PREFIX = 'network.'  # of the network's entries in a module's state
_COUNT = 'n_averaged'


class WeightAverage(Callback):
    """Keeps the exponential average of a PoseModule's network, in float32 where it trains.

    The running statistics of batch norms are averaged over the same steps as the weights, so that
    they fit each other; counters are taken as they are. At the n-th step the decay is
    n / (n + 9), at most `decay`: the average never holds much of the weights it began with. While
    a validation runs, and when the training has ended, the network has the averaged weights.

    Not a subclass of Lightning's WeightAveraging: that copies the whole module, hooks and hints
    included, before it is on its device, averages counters too, and reads a counter back from the
    GPU in each step.

    In a snapshot `state_dict` holds the average and `current_model_state` the weights that go on
    learning, as with Lightning's own WeightAveraging.
    """

    def __init__(self, decay: float):
        self._decay, self._steps = decay, 0
        self._average: Dict[str, Tensor] = {}
        self._loaded: Optional[Dict[str, Tensor]] = None
        self._inside = False  # the network has the average at the moment

    def on_fit_start(self, trainer, pl_module) -> None:
        """Begin with the network's weights, or with those of the snapshot."""
        self._average = {name: value.detach().clone()
                         for name, value in pl_module.network.state_dict().items()}
        if self._loaded is not None:
            for name, value in self._average.items():
                value.copy_(self._loaded[name])
            self._loaded = None

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Take the new weights in."""
        self.update(pl_module.network)

    @torch.no_grad()
    def update(self, network: PoseNetwork) -> None:
        """Take the weights of a network in."""
        decay = min(self._decay, self._steps / (self._steps + 9.))
        self._steps += 1
        state = network.state_dict()
        moving = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_([self._average[name] for name in moving],
                             [state[name] for name in moving], 1 - decay)
        for name in state.keys() - moving:
            self._average[name].copy_(state[name])

    def on_validation_start(self, trainer, pl_module) -> None:
        """Put the average into the network."""
        if self._average and not self._inside:
            self._exchange(pl_module.network)
            self._inside = True

    def on_validation_end(self, trainer, pl_module) -> None:
        """Put the weights that learn back."""
        if self._inside:
            self._exchange(pl_module.network)
            self._inside = False

    def on_train_end(self, trainer, pl_module) -> None:
        """Leave the average in the network."""
        pl_module.network.load_state_dict(self._average)

    @torch.no_grad()
    def _exchange(self, network):
        for name, value in network.state_dict().items():
            kept = value.clone()
            value.copy_(self._average[name])
            self._average[name].copy_(kept)

    def averaged(self) -> Dict[str, Tensor]:
        """Return the averaged state of the network, by its own names."""
        return self._average

    def on_save_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Save both: see the class."""
        current = checkpoint['state_dict']
        checkpoint['current_model_state'] = current
        checkpoint['state_dict'] = {**current, **{_PREFIX + name: value for name, value
                                                  in self._average.items()}}
        checkpoint['averaging_state'] = {_COUNT: torch.tensor(self._steps)}

    def on_load_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Take both from a snapshot; without an average in it, begin one with its weights."""
        averaged = checkpoint['state_dict']
        self._loaded = {name[len(_PREFIX):]: value.clone() for name, value in averaged.items()
                        if name.startswith(_PREFIX)}
        if 'current_model_state' in checkpoint:
            self._steps = int(checkpoint['averaging_state'][_COUNT])
            pl_module.load_state_dict(checkpoint['current_model_state'])
