# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Average the weights over the last steps; the average is validated, saved and exported."""
from typing import Dict, Optional

import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from pose_training.models import PoseNetwork
from pose_training.weight_average import RunningAverage

_PREFIX = 'network.'  # of the network's entries in a module's state
_COUNT = 'n_averaged'


class WeightAverage(Callback):
    """Keeps the exponential average of a PoseModule's network, in float32 where it trains.

    See RunningAverage. While a validation runs, and when the training has ended, the network has
    the averaged weights.

    Not a subclass of Lightning's WeightAveraging: that copies the whole module, hooks and hints
    included, before it is on its device, averages counters too, and reads a counter back from the
    GPU in each step.

    In a snapshot `state_dict` is the average and `current_model_state` are the trained weights, as
    with Lightning's own WeightAveraging.
    """

    def __init__(self, decay: float):
        self._running = RunningAverage(decay)
        self._loaded: Optional[Dict[str, Tensor]] = None
        self._inside = False  # the network has the average at the moment

    def on_fit_start(self, trainer, pl_module) -> None:
        """Begin with the weights of the network or of the snapshot."""
        self._running.begin(pl_module.network)
        if self._loaded is not None:
            for name, value in self._running.state.items():
                value.copy_(self._loaded[name])
            self._loaded = None

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Add the weights of the step to the average."""
        self.update(pl_module.network)

    def update(self, network: PoseNetwork) -> None:
        """Add the weights of a network to the average."""
        self._running.update(network)

    def on_validation_start(self, trainer, pl_module) -> None:
        """Put the average into the network."""
        if self._running.state and not self._inside:
            self._exchange(pl_module.network)
            self._inside = True

    def on_validation_end(self, trainer, pl_module) -> None:
        """Put the trained weights back."""
        if self._inside:
            self._exchange(pl_module.network)
            self._inside = False

    def on_train_end(self, trainer, pl_module) -> None:
        """Leave the average in the network."""
        pl_module.network.load_state_dict(self._running.state)

    @torch.no_grad()
    def _exchange(self, network):
        for name, value in network.state_dict().items():
            kept = value.clone()
            value.copy_(self._running.state[name])
            self._running.state[name].copy_(kept)

    def averaged(self) -> Dict[str, Tensor]:
        """Return the averaged state of the network, by its own names."""
        return self._running.state

    def on_save_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Save both: see the class."""
        current = checkpoint['state_dict']
        checkpoint['current_model_state'] = current
        checkpoint['state_dict'] = {**current, **{_PREFIX + name: value for name, value
                                                  in self._running.state.items()}}
        checkpoint['averaging_state'] = {_COUNT: torch.tensor(self._running.steps)}

    def on_load_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Read both from a snapshot; without an average in it, begin with its weights."""
        averaged = checkpoint['state_dict']
        self._loaded = {name[len(_PREFIX):]: value.clone() for name, value in averaged.items()
                        if name.startswith(_PREFIX)}
        if 'current_model_state' in checkpoint:
            self._running.steps = int(checkpoint['averaging_state'][_COUNT])
            pl_module.load_state_dict(checkpoint['current_model_state'])
