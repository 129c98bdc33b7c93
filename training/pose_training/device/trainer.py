# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The loop of a training on one device, with a schedule in elapsed time or in steps."""
import math
import os
import sys
import time
from typing import Any, Dict, NamedTuple, Optional

import numpy as np
import torch
from torch import nn

from pose_ros.core.card import InputSpec
from pose_training.checkpoint import checkpoint_data, FORMAT, load_checkpoint, save_checkpoint
from pose_training.device.people import PersonBatches
from pose_training.device.pool import ImagePool
from pose_training.device.scenes import SceneBatches
from pose_training.device.teacher import CropTeacher
from pose_training.distillation.hints import Hints
from pose_training.distillation.layers import module_channels
from pose_training.errors import ConfigError, FitError
from pose_training.fitting.gpus import limit_memory, with_chosen_gpus
from pose_training.fitting.network import build_network, chosen_topology, DATASET
from pose_training.fitting.schedules import make_groups
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model
from pose_training.models.network import PoseNetwork
from pose_training.models.normalization import Normalization
from pose_training.models.registry import convention_of
from pose_training.torch_file import save_torch_file
from pose_training.weight_average import RunningAverage

NETWORK, LAST = 'network.pt', 'last.ckpt'
_BETAS = (.9, .99)  # of AdamW; less than PyTorch's .999, for short runs
_REPORT = 20.       # seconds between lines


class Budget(NamedTuple):
    """The length of a training, in seconds of elapsed time or in steps; the other is 0."""

    seconds: float = 0.
    steps: int = 0
    warmup: int = 150  # steps

    def progress(self, elapsed: float, step: int) -> float:
        """Return the progress from 0 to 1."""
        return step / self.steps if self.steps else elapsed / self.seconds

    def factor(self, progress: float, step: int, least: float) -> float:
        """Return the factor on the learning rate: linear warm-up, then half a cosine."""
        warm = min(1., (step + 1) / max(1, min(self.warmup, self.steps or self.warmup)))
        return warm * (least + (1 - least) * .5 * (1 + math.cos(math.pi * min(1., progress))))


class DeviceTrainer:
    """Trains the network of a configuration from packed images.

    Used of the configuration: model, data (size, sigma, person or scene, photometric.erase),
    teacher (the first model, weight, hints without a translation, forcing), optimizer (batch, lr,
    lr_multipliers, norm_lr, weight_decay, grad_clip_norm, ema_decay, min_lr_ratio,
    foreground_weight, hard_keypoints, precision), seed, output, gpus (the first), emptiest_gpus,
    memory_fraction.
    """

    def __init__(self, config: RunConfig, pack: str, budget: Budget,
                 device: Optional[torch.device] = None):
        """Read all data; ConfigError or DataError for invalid settings or files."""
        if bool(budget.seconds > 0) == bool(budget.steps > 0):
            raise ConfigError('a training on one device needs either seconds or steps')
        self._config, self._budget = config, budget
        self._device = device or _device(config)
        limit_memory(config, self._device)
        _fast_settings()
        torch.manual_seed(config.seed)
        self._random = np.random.default_rng(config.seed)
        self._pool = ImagePool(pack, self._device)
        self._network, self._origin = _network(config, self._pool)
        self._teacher = _teacher(config, self._network.family, self._device)
        self._hints = _hints(config, self._network, self._teacher)
        self._network = self._network.to(self._device, memory_format=torch.channels_last).train()
        self._batches = _batches(config, self._network, self._pool, self._teacher)
        recipe = self._network.recipe
        spec = InputSpec(**convention_of(recipe.name, recipe.options).input)
        self._normalize = Normalization(spec).to(self._device)
        self._optimizer = _optimizer(config, self._network, self._device)
        self._average = RunningAverage(config.optimizer.ema_decay)
        self._average.begin(self._network)
        self.step, self._elapsed = 0, 0.

    def resume(self) -> bool:
        """Continue from the last snapshot of the output; return whether there is one.

        Raises FitError for a snapshot that cannot be read, or of another network.
        """
        path = os.path.join(self._config.output, LAST)
        if not os.path.exists(path):
            return False
        try:
            found = torch.load(path, map_location='cpu', weights_only=True)
            self._network.load_state_dict(found['network'])
            self._optimizer.load_state_dict(found['optimizer'])
            for name, value in self._average.state.items():
                value.copy_(found[FORMAT]['state_dict'][name])
            self._average.steps, self.step = found['average_steps'], found['step']
            self._elapsed = found['elapsed']
            torch.set_rng_state(found['torch_random'])
            if self._device.type == 'cuda' and 'cuda_random' in found:
                torch.cuda.set_rng_state(found['cuda_random'])
            self._random.bit_generator.state = found['random']
        except (OSError, KeyError, RuntimeError, ValueError, EOFError) as error:
            raise FitError('cannot continue from {}: {}'.format(
                path, ' '.join(str(error).split())[:300])) from error
        return True

    def run(self, until: Optional[int] = None, save_every: float = 60.) -> str:
        """Train to the end (or to a step), and return the path of the network.

        `save_every`: seconds between snapshots. With `until` only the snapshot is written. Raises
        FitError if the loss is not finite.
        """
        os.makedirs(self._config.output, exist_ok=True)
        began = time.monotonic() - self._elapsed
        reported = saved = began + self._elapsed
        loss = torch.zeros(())
        while self._budget.progress(time.monotonic() - began, self.step) < 1 \
                and self.step != until:
            loss = self._train_step(time.monotonic() - began)
            now = time.monotonic()
            self._elapsed = now - began
            if now - reported > _REPORT:
                reported = now
                self._report(loss)
            if now - saved > save_every:
                saved = now
                self._save()
        self._report(loss)
        self._save()
        path = os.path.join(self._config.output, NETWORK)
        if until is None:
            network = create_model(*self._network.recipe[:2], **self._network.recipe.options)
            network.load_state_dict(self._average.state)
            save_checkpoint(path, network.eval(), self._provenance())
        return path

    def _train_step(self, elapsed):
        learn, progress = self._config.optimizer, self._budget.progress(elapsed, self.step)
        images, target, weights = self._batches(learn.batch, progress, self._random)
        factor = learn.lr * self._budget.factor(progress, self.step, learn.min_lr_ratio)
        for group in self._optimizer.param_groups:
            group['lr'] = factor * group['factor']
        inputs = self._normalize(images).contiguous(memory_format=torch.channels_last)
        mixed = learn.precision == 'bf16' and self._device.type == 'cuda'
        hints = self._config.teacher.hints
        wanted = self._teacher.layers(images, [hint.teacher for hint in hints]) if hints else []
        self._hints.begin(wanted)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=mixed):
            outputs = self._network(inputs)
        loss = self._network.family.loss(outputs, target, weights, learn.foreground_weight)[-1]
        for hint, error in zip(hints, self._hints(wanted)):
            loss = loss + hint.weight * error
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if learn.grad_clip_norm:
            nn.utils.clip_grad_norm_(self._network.parameters(), learn.grad_clip_norm)
        self._optimizer.step()
        self._average.update(self._network)
        self.step += 1
        return loss.detach()

    def _report(self, loss):
        value = float(loss)
        print('{:.0f} s, step {}, {} images, loss {:.4f}'.format(
            self._elapsed, self.step, self.step * self._config.optimizer.batch, value),
            file=sys.stderr, flush=True)
        if not math.isfinite(value):
            raise FitError('the loss is {} in step {}: try a lower optimizer.lr'.format(
                value, self.step))

    def _provenance(self) -> Dict[str, Any]:
        config = self._config
        facts = {**self._origin, 'trained_on': [part.path for part in config.data.train],
                 'crops': self.step * config.optimizer.batch, 'steps': self.step,
                 'seconds': round(self._elapsed, 1), 'seed': config.seed}
        if config.teacher.models:
            facts['teachers'] = list(config.teacher.models[:1])
        return facts

    def _save(self):
        """Write a snapshot that `pose-train export` reads as a checkpoint, too."""
        checkpoint = checkpoint_data(self._network, self._provenance())
        checkpoint['state_dict'] = {name: value.cpu() for name, value
                                    in self._average.state.items()}
        data = {FORMAT: checkpoint, 'network': self._network.state_dict(), 'step': self.step,
                'optimizer': self._optimizer.state_dict(), 'elapsed': self._elapsed,
                'average_steps': self._average.steps, 'torch_random': torch.get_rng_state(),
                'random': self._random.bit_generator.state}
        if self._device.type == 'cuda':
            data['cuda_random'] = torch.cuda.get_rng_state()
        try:
            save_torch_file(os.path.join(self._config.output, LAST), data, follow_links=False)
        except OSError as error:
            raise FitError('cannot write the snapshot: {}'.format(
                error.strerror or error)) from error


def _fast_settings():
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def _network(config, pool):
    """Return the initial network, and the origin of its weights."""
    model = config.model
    network = build_network(config, pool.topology if model.topology == DATASET
                            else chosen_topology(config))
    if not model.checkpoint:
        return network, {}
    kept, origin = {'began_with': model.checkpoint}, load_checkpoint(model.checkpoint)[1]
    if 'backbone' in origin:
        kept['backbone'] = origin['backbone']
    return network, kept


def _device(config: RunConfig) -> torch.device:
    config = with_chosen_gpus(config)
    if not torch.cuda.is_available():
        return torch.device('cpu')
    return torch.device('cuda', config.gpus[0]) if config.gpus else torch.device('cuda')


def _teacher(config: RunConfig, family, device) -> Optional[CropTeacher]:
    teacher = config.teacher
    if family.name != 'heatmap' or not teacher.models:
        return None
    card = teacher.cards[0] or None if teacher.cards else None
    return CropTeacher(teacher.models[0], card, family, config.data.size, device)


def _hints(config: RunConfig, network: PoseNetwork, teacher: Optional[CropTeacher]) -> Hints:
    hints = config.teacher.hints
    if hints and teacher is None:
        raise ConfigError('teacher.hints: packed images support them for networks of crops with '
                          'a teacher alone')
    if any(hint.translate or hint.model for hint in hints):
        raise ConfigError('teacher.hints: packed images support hints of the first teacher with '
                          '`translate: false` alone; use pose-train fit')
    layers = [hint.student for hint in hints]
    own = module_channels(network, layers, 'the student') if hints else []
    wanted = [teacher.network.channels(hint.teacher) for hint in hints] if teacher else []
    return Hints(network, layers, list(zip(own, wanted)), [False] * len(hints),
                 config.teacher.forcing)


def _batches(config: RunConfig, network: PoseNetwork, pool: ImagePool,
             teacher: Optional[CropTeacher]):
    family, data = network.family, config.data
    if family.name == 'boxes':
        return SceneBatches(pool, data)
    if family.name != 'heatmap':
        raise ConfigError('networks of the family {!r} cannot be trained from packed images: use '
                          'pose-train fit'.format(family.name))
    return PersonBatches(pool, data, family, network.stride, teacher, config.teacher.weight)


def _optimizer(config, network, device):
    groups = [{'params': group.parameters, 'factor': group.factor,
               'weight_decay': group.weight_decay}
              for group in make_groups(network.named_parameters(), config.optimizer)]
    return torch.optim.AdamW(groups, lr=config.optimizer.lr, betas=_BETAS,
                             fused=device.type == 'cuda')
