# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The LightningModule of a training: loss, optimizer, schedule."""
from functools import partial
import math
import os
from typing import Callable, Dict, Optional

import lightning
import torch
from torch import nn
from torch.optim import Optimizer

from pose_ros.core.card import InputSpec
from pose_training.distillation.hints import Hints
from pose_training.errors import FitError
from pose_training.families.losses import total_loss
from pose_training.fitting.muon import hidden_weights, Muon
from pose_training.fitting.schedules import (check_prefixes, frozen_prefixes, make_groups,
                                             lr_factor)
from pose_training.fitting.settings import RunConfig
from pose_training.models import PoseNetwork
from pose_training.models.normalization import Normalization
from pose_training.models.registry import convention_of

_OPTIMIZERS: Dict[str, Callable[..., Optimizer]] = {
    'adamw': torch.optim.AdamW, 'muon': Muon, 'sgd': partial(torch.optim.SGD, momentum=.9)}


class PoseModule(lightning.LightningModule):
    """Trains `network`.

    A batch is image (N, 3, H, W) uint8 BGR, target and weights (N, C, h, w) as in Targets; with
    `hints` an output (N, C, h, w) of a teacher's layer follows for each. `hints` compares layers
    with those of teachers, None without; `memory_format` is the layout of the images. Raises
    ConfigError if no weight matches a prefix of `lr_multipliers` or `freeze`, and FitError if the
    loss is not finite.
    """

    def __init__(self, network: PoseNetwork, config: RunConfig, hints: Optional[Hints] = None,
                 memory_format: torch.memory_format = torch.contiguous_format):
        super().__init__()
        self.network, self.hints, self._config = network, hints, config
        self._memory_format = memory_format
        names = [name for name, _ in network.named_parameters()]
        check_prefixes(config.optimizer.freeze, names, 'optimizer.freeze')
        muon = config.optimizer.name == 'muon'
        self._groups = make_groups(self._named(), config.optimizer,
                                   hidden_weights(network) if muon else ())
        facts = convention_of(network.recipe.name, network.recipe.options)
        self._normalization = Normalization(InputSpec(**facts.input))
        self._sums = torch.zeros(2)
        self.step_loss = torch.zeros(())  # of the last step

    def _named(self):
        yield from self.network.named_parameters()
        if self.hints is not None:
            yield from self.hints.named_parameters('hints')

    def normalize(self, image):
        """Turn (N, 3, h, w) uint8 BGR into the input of the network."""
        return self._normalization(image).contiguous(memory_format=self._memory_format)

    def configure_optimizers(self):
        """Return the optimizer; `on_train_batch_start` sets learning rates and weight decays.

        Not a LambdaLR: it takes its base rates, and the optimizer its weight decays, from the
        snapshot, so that a run would continue with the old ones after they were changed.
        """
        config = self._config.optimizer
        groups = [{'params': group.parameters, 'orthogonal': group.orthogonal}
                  for group in self._groups]
        return _OPTIMIZERS[config.name](groups, lr=config.lr)

    def on_train_batch_start(self, batch, batch_idx) -> None:
        """Set learning rates, weight decays and modes of batch norms for this step."""
        config, trainer = self._config.optimizer, self.trainer
        lr = config.lr * lr_factor(config, trainer.global_step,
                                   config.epochs * trainer.num_training_batches)
        for group, chosen in zip(self.optimizers().param_groups, self._groups):
            group['lr'], group['weight_decay'] = lr * chosen.factor, chosen.weight_decay
        frozen = frozen_prefixes(config, trainer.global_step)
        self._set_norms(frozen)
        if trainer.world_size == 1:  # several processes agree on the gradients of all weights
            for name, parameter in self.network.named_parameters():
                parameter.requires_grad_(not name.startswith(frozen))
        self.log('lr', lr)

    def _set_norms(self, frozen):
        """Freeze the statistics of frozen layers, too."""
        everything = self._config.optimizer.norm == 'frozen'
        for name, layer in self.network.named_modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.train(not (everything or name.startswith(frozen)))

    def training_step(self, batch, batch_idx):
        """Return the loss of one batch."""
        image, target, weights, *hints = batch
        config = self._config.optimizer
        if self.hints is not None:
            self.hints.begin(hints)
        losses = self.network.family.loss(
            self.network(self.normalize(image)), target, weights, config.foreground_weight)
        loss = total_loss(losses, config.stage_weight)
        for position, part in enumerate(losses, 1):
            self.log('loss/stage_{}'.format(position), part)
        if self.hints is not None:
            for position, (part, hint) in enumerate(zip(self.hints(hints),
                                                        self._config.teacher.hints), 1):
                self.log('loss/hint_{}'.format(position), part)
                loss = loss + hint.weight * part
        # The mean over the processes, for the log; the gradients are averaged, too.
        self.step_loss = self.trainer.strategy.reduce(loss.detach().clone(), reduce_op='mean')
        self.log('loss', self.step_loss, prog_bar=True)
        if not torch.isfinite(self.step_loss):  # every process stops
            raise self._no_number(loss.item(), batch_idx)
        return loss

    def _no_number(self, loss, batch_idx) -> FitError:
        """Return an error with the possible fixes."""
        trainer = self.trainer
        if math.isfinite(loss):
            return FitError('the loss of another process is not finite; see its message')
        files = trainer.datamodule.files(trainer.current_epoch, batch_idx)
        names = [os.path.basename(path) for path in files]
        return FitError(
            'the loss is {} in step {} (epoch {}, batch {}): try a lower optimizer.lr, a lower '
            'optimizer.grad_clip_norm, a longer optimizer.warmup or optimizer.precision=fp32, and '
            'continue from the last snapshot with --resume. The batch is made of {}'.format(
                loss, trainer.global_step + 1, trainer.current_epoch + 1, batch_idx + 1,
                ', '.join(names[:16])))

    def configure_gradient_clipping(self, optimizer, gradient_clip_val=None,
                                    gradient_clip_algorithm=None) -> None:
        """Drop the gradients of frozen weights, then limit the norm of the others."""
        frozen = frozen_prefixes(self._config.optimizer, self.trainer.global_step)
        if frozen:
            for name, parameter in self.network.named_parameters():
                if name.startswith(frozen):
                    parameter.grad = None
        self.clip_gradients(optimizer, gradient_clip_val=gradient_clip_val,
                            gradient_clip_algorithm=gradient_clip_algorithm)

    def on_validation_epoch_start(self) -> None:
        """Reset the sum of losses."""
        self._sums = torch.zeros(2, device=self.device)

    def validation_step(self, batch, batch_idx) -> None:
        """Add the loss of one batch."""
        image, target, weights = batch
        config = self._config.optimizer
        losses = self.network.family.loss(
            self.network(self.normalize(image)), target, weights, config.foreground_weight)
        loss = total_loss(losses, config.stage_weight)
        self._sums += torch.stack([loss * len(image), loss.new_tensor(len(image))])

    def on_validation_epoch_end(self) -> None:
        """Log the mean over all crops of all processes."""
        total, count = self.trainer.strategy.reduce(self._sums, reduce_op='sum')
        self.log('loss/validation', total / count, prog_bar=True, rank_zero_only=True)
