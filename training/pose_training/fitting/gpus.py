# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the GPUs of a run, and limit the memory that it takes of them."""
import os
import subprocess
from typing import List, NamedTuple, Tuple

import torch

from pose_training.errors import ConfigError
from pose_training.fitting.settings import RunConfig

_QUERY = ['nvidia-smi', '--query-gpu=index,uuid,memory.used', '--format=csv,noheader,nounits']
_ORDER, _VISIBLE = 'CUDA_DEVICE_ORDER', 'CUDA_VISIBLE_DEVICES'
_RANK, _CHOSEN = 'LOCAL_RANK', 'POSE_TRAINING_GPUS'  # for the further processes of a run
_PATIENCE = 30.  # s
AUTO = 'auto'


class _Gpu(NamedTuple):
    index: str
    uuid: str
    used: float  # MiB


def with_chosen_gpus(config: RunConfig) -> RunConfig:
    """Return the configuration with `gpus` chosen, if `emptiest_gpus` asks for it.

    These are the `devices` GPUs with the least memory in use, by nvidia-smi, among those that
    CUDA_VISIBLE_DEVICES leaves. Raises ConfigError if there are too few, or no nvidia-smi.
    """
    if not config.emptiest_gpus:
        return config
    if config.gpus:
        raise ConfigError('gpus and emptiest_gpus exclude each other: leave one of them out')
    if _RANK in os.environ:  # a further process, which the first one began
        if _CHOSEN not in os.environ:
            raise ConfigError('emptiest_gpus is not for torchrun, which begins several processes '
                              'at once: name the GPUs with ' + _VISIBLE)
        chosen = [int(number) for number in os.environ[_CHOSEN].split(',')]
        return config._replace(gpus=tuple(chosen), emptiest_gpus=False)
    # PyTorch numbers GPUs as nvidia-smi does; by default it begins with the fastest.
    os.environ.setdefault(_ORDER, 'PCI_BUS_ID')
    gpus = _visible(_all_gpus())
    if len(gpus) < config.devices:
        raise ConfigError('emptiest_gpus: {} of {} GPUs are there (nvidia-smi, {})'.format(
            len(gpus), config.devices, _VISIBLE))
    chosen = sorted(range(len(gpus)), key=lambda number: gpus[number].used)[:config.devices]
    os.environ[_CHOSEN] = ','.join(map(str, sorted(chosen)))
    return config._replace(gpus=tuple(sorted(chosen)), emptiest_gpus=False)


def limit_memory(config: RunConfig, device: torch.device) -> None:
    """Let this process take at most `memory_fraction` of the memory of its GPU."""
    if device.type == 'cuda' and config.memory_fraction < 1:
        torch.cuda.set_per_process_memory_fraction(config.memory_fraction, device)


def parse_gpus(text: str) -> List[str]:
    """Return the changes of a configuration for `0,1`, `0-1` or `auto`.

    Raises ConfigError for other texts.
    """
    if text == AUTO:
        return ['emptiest_gpus=true']
    numbers: List[int] = []
    for part in text.split(','):
        first, dash, last = part.partition('-')
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ConfigError('--gpus: {!r} is neither numbers such as 0,1 or 0-1 nor auto'.format(
                text))
        numbers += range(int(first), int(last or first) + 1)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ConfigError('--gpus: {!r} names no GPU, or one of them twice'.format(text))
    return ['gpus={}'.format(numbers), 'devices={}'.format(len(numbers))]


def _all_gpus() -> List[_Gpu]:
    try:
        text = subprocess.run(_QUERY, capture_output=True, check=True, text=True,
                              timeout=_PATIENCE).stdout
        rows = [[word.strip() for word in line.split(',')] for line in text.splitlines() if line]
        return [_Gpu(index, uuid, float(used)) for index, uuid, used in rows]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ConfigError('emptiest_gpus: nvidia-smi does not say which GPUs there are ({}); name '
                          'them with `gpus`'.format(str(error)[:200])) from error


def _visible(gpus: List[_Gpu]) -> Tuple[_Gpu, ...]:
    """Return the GPUs in the order in which PyTorch numbers them."""
    names = os.environ.get(_VISIBLE)
    if names is None:
        return tuple(gpus)
    found = []
    for name in map(str.strip, names.split(',')):
        matching = [gpu for gpu in gpus if gpu.index == name or (
            name.startswith('GPU-') and gpu.uuid.startswith(name))]
        if len(matching) != 1:  # CUDA ignores what follows an unknown name
            break
        found += matching
    return tuple(found)
