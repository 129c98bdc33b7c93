# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Check the values of a configuration before anything is loaded."""
from pose_training.distillation.teacher_networks import CHECKPOINTS
from pose_training.errors import ConfigError
from pose_training.fitting.muon import hidden_weights
from pose_training.fitting.settings import RunConfig
from pose_training.models.network import PoseNetwork

PRECISIONS = {'fp32': '32-true', 'bf16': 'bf16-mixed', 'fp16': '16-mixed'}
NAMES = ('adamw', 'muon', 'sgd')
SCHEDULES = ('cosine', 'step', 'constant', 'multi_step')
NORMS = ('batch', 'sync', 'frozen')


def check(config: RunConfig) -> None:
    """Raise ConfigError for the first invalid value."""
    for holds, key, wanted in _rules(config):
        if not holds:
            raise ConfigError('{} must be {}, not {!r}'.format(key, wanted, _get(config, key)))
    for parts, key in ((config.data.train, 'data.train'), (config.data.val, 'data.val')):
        if parts and not any(part.weight > 0 for part in parts):
            raise ConfigError('{}: at least one weight must be above 0'.format(key))


def check_network(config: RunConfig, network: PoseNetwork) -> None:
    """Raise ConfigError if the crop size or the optimizer is invalid for the network."""
    multiple = network.size_multiple
    for key in ('data.size', 'validation.evaluate_size'):
        size = _get(config, key)
        if any(side % multiple for side in size):
            raise ConfigError('{}: {} needs sizes that are multiples of {}, not {}; {} would '
                              'do'.format(key, network.recipe.name, multiple, list(size),
                                          [max(1, round(side / multiple)) * multiple
                                           for side in size]))
    if config.optimizer.name == 'muon' and not hidden_weights(network):
        raise ConfigError('optimizer.name: muon is for convolutions that a norm follows, and {} '
                          'has none; choose adamw'.format(network.recipe.name))


def check_device(config: RunConfig, device: str) -> None:
    """Raise ConfigError for settings that a kind of device does not support."""
    learn = config.optimizer
    if device == 'cpu' and learn.norm == 'sync':
        raise ConfigError('optimizer.norm: sync needs GPUs; choose batch or frozen')
    if device == 'cpu' and learn.precision == 'fp16':
        raise ConfigError('optimizer.precision: fp16 needs a GPU; choose bf16 or fp32')


def _rules(config):
    data, teacher, learn = config.data, config.teacher, config.optimizer
    processes = config.devices * config.nodes
    for key in ('data.val_crops', 'data.variants', 'data.max_pixels', 'optimizer.epochs',
                'optimizer.batch', 'validation.every', 'validation.evaluate_every',
                'snapshot_every', 'devices', 'nodes'):
        yield _get(config, key) >= 1, key, 'at least 1'
    for key in ('data.sigma', 'data.limb_width', 'optimizer.lr', 'optimizer.factor'):
        yield _get(config, key) > 0, key, 'above 0'
    for key in ('seed', 'model.bn_calibration_crops', 'data.workers', 'max_to_keep',
                'validation.drawn_crops',
                'optimizer.weight_decay', 'optimizer.grad_clip_norm', 'optimizer.stage_weight',
                'optimizer.foreground_weight', 'optimizer.hard_keypoints'):
        yield _get(config, key) >= 0, key, 'at least 0'
    for key in ('teacher.weight', 'teacher.confidence', 'optimizer.warmup',
                'optimizer.min_lr_ratio'):
        yield 0 <= _get(config, key) <= 1, key, 'from 0 to 1'
    yield 0 <= learn.ema_decay < 1, 'optimizer.ema_decay', 'at least 0 and below 1'
    yield min(data.size) >= 32, 'data.size', 'at least 32 x 32'
    yield (min(teacher.size) >= 32 or teacher.size == (0, 0), 'teacher.size',
           'at least 32 x 32, or 0, 0')
    yield (learn.crops_per_epoch >= learn.batch, 'optimizer.crops_per_epoch',
           'at least one batch ({})'.format(learn.batch))
    yield (learn.batch % processes == 0, 'optimizer.batch',
           'a multiple of the {} processes'.format(processes))
    yield (not config.gpus or len(config.gpus) == config.devices, 'gpus',
           'as many numbers as devices ({})'.format(config.devices))
    for key, choices in (('optimizer.name', NAMES), ('optimizer.precision', tuple(PRECISIONS)),
                         ('optimizer.schedule', SCHEDULES), ('optimizer.norm', NORMS),
                         ('accelerator', ('auto', 'cpu', 'gpu'))):
        yield _get(config, key) in choices, key, 'one of ' + ', '.join(choices)
    yield 0 < config.memory_fraction <= 1, 'memory_fraction', 'above 0 and at most 1'
    yield (not (config.model.checkpoint and config.model.backbone), 'model.backbone',
           'empty with a model.checkpoint, which has all layers')
    yield from _schedule_rules(learn)
    yield from _teacher_rules(teacher)


def _schedule_rules(learn):
    yield (bool(learn.milestones) == (learn.schedule == 'step'), 'optimizer.milestones',
           'epochs for the schedule `step`, and none for another')
    yield (list(learn.milestones) == sorted(learn.milestones), 'optimizer.milestones', 'ascending')
    steps = [last for _, last in learn.multi_step]
    yield (bool(steps) == (learn.schedule == 'multi_step') and steps == sorted(set(steps))
           and all(rate > 0 for rate, _ in learn.multi_step), 'optimizer.multi_step',
           'pairs of a rate and an ascending step for the schedule `multi_step`, and none for '
           'another')
    yield (all(factor >= 0 for factor in learn.lr_multipliers.values()),
           'optimizer.lr_multipliers', 'at least 0')
    yield learn.norm_lr > 0, 'optimizer.norm_lr', 'above 0'


def _teacher_rules(teacher):
    yield (len(teacher.cards) <= len(teacher.models), 'teacher.cards',
           'no more than the teacher.models')
    more = teacher.cards or teacher.cache or teacher.hints or any(teacher.size)
    yield (not (teacher.on_device and more), 'teacher.on_device',
           'false with teacher.cards, a teacher.cache, teacher.hints or a teacher.size')
    yield (not teacher.on_device or all(path.lower().endswith(CHECKPOINTS)
                                        for path in teacher.models),
           'teacher.on_device', 'false unless all teacher.models are checkpoints ({}): see '
           'pose-train import'.format(', '.join(CHECKPOINTS)))
    yield (all(0 <= hint.model < len(teacher.models) for hint in teacher.hints), 'teacher.hints',
           'of models that are listed in teacher.models')
    yield (all(hint.weight > 0 for hint in teacher.hints), 'teacher.hints', 'of weights above 0')
    yield (not teacher.forcing or teacher.hints and not any(hint.translate for hint in
                                                            teacher.hints),
           'teacher.forcing', 'false without teacher.hints, and with hints of `translate: true`')


def _get(config, key):
    for name in key.split('.'):
        config = getattr(config, name)
    return config
