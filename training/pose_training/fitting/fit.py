# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a training: from its configuration to its checkpoint."""
import contextlib
import gc
import logging
import os
import signal
import warnings
from typing import Any, Dict, Optional

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from pose_ros.core.errors import PoseRosError
from pose_ros.core.files import atomic_write
from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.errors import ConfigError, FitError
from pose_training.evaluation.labels import read_labels
from pose_training.fitting.averaging import WeightAverage
from pose_training.fitting.checks import check, check_device, check_network, PRECISIONS
from pose_training.fitting.config import differences, load_config, plain
from pose_training.fitting.crops import Crops
from pose_training.fitting.depthwise import speed_up
from pose_training.fitting.gpus import limit_memory, with_chosen_gpus
from pose_training.fitting.interruption import Interrupted, StopOnSignal
from pose_training.fitting.module import PoseModule
from pose_training.fitting.network import make_network
from pose_training.fitting.norms import BeginWithData, SettleNorms
from pose_training.fitting.progress import make_progress, Speed
from pose_training.fitting.settings import RunConfig
from pose_training.fitting.snapshots import last_snapshot, Snapshots, WholeFiles
from pose_training.fitting.teachers import make_hints
from pose_training.fitting.validation import ValidationCallback

_LOG = logging.getLogger('pose_training')
_CONFIG, _NETWORK = 'config.yaml', 'network.pt'
# These settings may change when a run is resumed; it continues as if they had been so before.
_FREE = ('output', 'max_to_keep', 'snapshot_every', 'devices', 'nodes', 'gpus', 'validation',
         'emptiest_gpus', 'memory_fraction', 'autotune', 'data.preload', 'data.workers',
         'data.val', 'data.val_crops')


def fit(config: RunConfig, resume: Optional[bool] = True) -> str:
    """Run the training and return the path of its network, a checkpoint of this package.

    The folder `config.output` gets `config.yaml`, `snapshots/`, `log/` (TensorBoard) and, in the
    end, `network.pt` with the averaged weights. If it has a run already, `resume=True` continues
    from the last snapshot, False moves the run aside, and None raises ConfigError. Raises
    ConfigError, DataError, FitError, and Interrupted on a signal.
    """
    check(config)
    config = with_chosen_gpus(config)
    if config.validation.evaluate:
        # Report faults now, not after ten epochs.
        read_labels(config.validation.evaluate, images=config.validation.images)
    snapshot = _prepare(config, resume)
    lightning.seed_everything(config.seed, verbose=False)
    network = make_network(config)
    check_network(config, network)
    crops, hints = Crops(config, network), make_hints(network, config)
    provenance = _provenance(config)
    with _quiet(), _plainly(snapshot), _own_process_group():
        first = _train(config, network, crops, hints, provenance, snapshot)
    path = os.path.join(config.output, _NETWORK)
    if first:
        save_checkpoint(path, network.cpu().eval(), provenance)
    return path


def _train(config, network, crops, hints, provenance, snapshot) -> bool:
    """Train the network; return whether this process is the first of the run."""
    average = WeightAverage(config.optimizer.ema_decay)
    trainer = _trainer(config, average, provenance, fresh=not snapshot)
    device = trainer.strategy.root_device
    check_device(config, device.type)
    limit_memory(config, device)
    if device.type == 'cpu' and config.optimizer.precision == 'bf16':
        speed_up(network)
    layout = memory_format(device, network)
    crops.memory_format = layout
    module = PoseModule(network.to(memory_format=layout), config, hints, layout)
    trainer.fit(module, datamodule=crops, ckpt_path=snapshot or None, weights_only=True)
    return trainer.is_global_zero


def _prepare(config, resume) -> str:
    """Prepare the folder of a run; return the snapshot to continue from, '' to begin."""
    if rank_zero_only.rank:
        return last_snapshot(config.output) if resume else ''  # the first process has prepared
    there = last_snapshot(config.output)
    done = os.path.exists(os.path.join(config.output, _NETWORK))
    if (there or done) and resume is None:
        raise ConfigError('{} has a run already: --resume continues it, --fresh moves it '
                          'aside and begins again'.format(config.output))
    path = os.path.join(config.output, _CONFIG)
    if there and resume:
        _tell_differences(config, path)
    elif there or done:
        _move_aside(config.output)
    try:
        os.makedirs(config.output, exist_ok=True)
        with atomic_write(path, follow_links=False) as stream:
            stream.write(yaml.safe_dump(plain(config), sort_keys=False).encode())
    except OSError as error:
        raise FitError('cannot write {}: {}'.format(path, error.strerror or error)) from error
    return there if resume else ''


def _tell_differences(config, path):
    if not os.path.exists(path):
        return
    try:
        changed = differences(load_config(path), config)
    except ConfigError:  # of a version with other keys
        return
    for key, (before, now) in changed.items():
        if not key.startswith(_FREE):
            _LOG.warning('%s was %r until now, and is %r from here on', key, before, now)


def _move_aside(folder):
    number = 1
    while os.path.exists('{}.{}'.format(folder.rstrip('/'), number)):
        number += 1
    aside = '{}.{}'.format(folder.rstrip('/'), number)
    os.rename(folder, aside)
    _LOG.warning('what was in %s is now in %s', folder, aside)


def _provenance(config) -> Dict[str, Any]:
    facts = {'trained_on': [part.path for part in config.data.train],
             'epochs': config.optimizer.epochs,
             'crops': config.optimizer.epochs * config.optimizer.crops_per_epoch}
    if config.teacher.models or config.teacher.single_person:
        facts['teachers'] = list(config.teacher.models + config.teacher.single_person)
    start = config.model.checkpoint or config.model.backbone
    if start:
        facts['began_with'] = start
        origin = load_checkpoint(start)[1]
        if 'backbone' in origin:  # its license
            facts['backbone'] = origin['backbone']
    return facts


def _trainer(config, average, provenance, fresh):
    learn = config.optimizer
    snapshots = Snapshots(config.output, config.max_to_keep, config.snapshot_every, provenance,
                          average)
    # Order matters: recalibrate, then average, then save, then stop.
    progress = make_progress()
    crops = config.model.bn_calibration_crops if fresh else 0
    settle = [SettleNorms(crops)] * bool(crops)
    begin = [BeginWithData()] * fresh
    callbacks = [*begin, *settle, average, Speed(), progress,
                 ValidationCallback(config.validation, average), snapshots,
                 StopOnSignal(snapshots)]
    processes = config.devices * config.nodes
    return lightning.Trainer(
        accelerator='gpu' if config.gpus else config.accelerator,
        devices=list(config.gpus) or config.devices, num_nodes=config.nodes,
        strategy='ddp' if processes > 1 else 'auto', sync_batchnorm=learn.norm == 'sync',
        max_epochs=learn.epochs, precision=PRECISIONS[learn.precision],
        gradient_clip_val=learn.grad_clip_norm or None, callbacks=callbacks,
        plugins=[WholeFiles()],
        check_val_every_n_epoch=config.validation.every, num_sanity_val_steps=0,
        limit_val_batches=1. if config.data.val else 0,
        logger=TensorBoardLogger(config.output, name='', version='log'), log_every_n_steps=20,
        deterministic=config.deterministic, benchmark=config.autotune and not config.deterministic,
        use_distributed_sampler=False,
        enable_checkpointing=False, enable_model_summary=False,
        enable_progress_bar=isinstance(progress, ProgressBar))


def memory_format(device: torch.device, network: nn.Module) -> torch.memory_format:
    """Return the fast layout of tensors where it is safe, else the default.

    On CPUs the backward pass of oneDNN (PyTorch 2.13, float32 and bfloat16) writes beyond its
    buffers for 1x1 convolutions of stride 2 and few channels in channels-last layout.
    """
    strided = any(isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)
                  and max(layer.stride) > 1 for layer in network.modules())
    return torch.contiguous_format if device.type == 'cpu' and strided else torch.channels_last


@contextlib.contextmanager
def _quiet():
    """Suppress irrelevant warnings of Lightning."""
    loggers = [logging.getLogger('lightning.' + name) for name in ('pytorch', 'fabric')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for words in ('.*does not have many workers.*', '.*dataloader is not resumable.*',
                      '.*smaller than the logging interval.*', '.*modules? in eval mode.*',
                      '.*infer the `batch_size`.*', '.*LeafSpec.*',
                      '.*fp16 is not supported on CPU.*'):
            warnings.filterwarnings('ignore', words)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)


@contextlib.contextmanager
def _own_process_group():
    """End the process group that the training began.

    Gloo's threads take Python's lock; if they still run when the interpreter ends, the process
    aborts. They end with the last object that refers to the group, as the trainer does. Lightning
    ends the groups of NCCL only.
    """
    groups = torch.distributed
    foreign = groups.is_available() and groups.is_initialized()
    try:
        yield
    finally:
        if groups.is_available() and groups.is_initialized() and not foreign:
            groups.destroy_process_group()
            gc.collect()


@contextlib.contextmanager
def _plainly(snapshot):
    """Turn errors of libraries into errors of one line."""
    try:
        yield
    except SystemExit as error:  # Lightning raises it for Ctrl-C before the first step
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise Interrupted('stopped before the first step') from error
    except PoseRosError as error:
        # A loader process sends its whole traceback; the message is in the last line.
        lines = str(error).strip().splitlines()
        if len(lines) > 1 and lines[0].startswith('Caught'):
            raise type(error)(lines[-1].partition(': ')[2] or lines[-1]) from error
        raise
    except RuntimeError as error:
        if 'out of memory' in str(error).lower():
            raise FitError('out of memory: a smaller optimizer.batch or data.size, or '
                           'optimizer.precision=bf16, needs less ({})'.format(
                               str(error).splitlines()[0])) from error
        if 'loading state_dict' in str(error):
            raise FitError('{} is of another network than the configured one: {}'.format(
                snapshot, ' '.join(str(error).split())[:400])) from error
        raise
