# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Learning rates and weight decays of groups of weights, as functions of the step.

There is no state here. Hence a resumed run continues exactly, and a changed rate or length takes
effect at once.
"""
import difflib
import math
from typing import Container, Dict, Iterable, List, NamedTuple, Tuple

from torch.nn import Parameter

from pose_training.errors import ConfigError
from pose_training.fitting.settings import OptimizerConfig


class Group(NamedTuple):
    """Weights that share a rate: `factor` on the common one, a weight decay, a kind of step."""

    parameters: List[Parameter]
    factor: float
    weight_decay: float
    orthogonal: bool = False


def lr_factor(config: OptimizerConfig, step: int, steps: int) -> float:
    """Return the factor on the rate at a step of `steps`."""
    warmup = max(1, int(config.warmup * steps))
    if step < warmup:
        return (step + 1) / warmup
    if config.schedule == 'cosine':
        progress = min(1., (step - warmup) / max(1, steps - warmup))
        least = config.min_lr_ratio
        return least + (1 - least) * .5 * (1 + math.cos(math.pi * progress))
    if config.schedule == 'step':
        epoch = step * config.epochs // steps
        return config.factor ** sum(epoch >= milestone for milestone in config.milestones)
    if config.schedule == 'multi_step':
        # As in DeeperCut: a rate holds up to its step, and the last one for all further steps.
        rates = [rate for rate, last in config.multi_step if step <= last]
        return (rates or [config.multi_step[-1][0]])[0] / config.lr
    return 1.


def make_groups(named: Iterable[Tuple[str, Parameter]], config: OptimizerConfig,
                hidden: Container[str] = ()) -> List[Group]:
    """Sort weights by rate, decay and whether they are `hidden`; biases and norms do not decay.

    The factor of a weight is that of the longest key of `rates` with which its name begins; steps
    of hidden weights are orthogonal. ConfigError for a key with which no name begins.
    """
    named = list(named)
    check_prefixes(config.lr_multipliers, [name for name, _ in named], 'optimizer.lr_multipliers')
    sorted_out: Dict[Tuple[float, bool, bool], List[Parameter]] = {}
    for name, parameter in named:
        found = [prefix for prefix in config.lr_multipliers if name.startswith(prefix)]
        factor = config.lr_multipliers[max(found, key=len)] if found else 1.
        factor *= config.norm_lr if parameter.ndim == 1 else 1.
        key = factor, parameter.ndim > 1, name in hidden
        sorted_out.setdefault(key, []).append(parameter)
    return [Group(sorted_out[factor, decayed, orthogonal], factor,
                  config.weight_decay if decayed else 0., orthogonal)
            for factor, decayed, orthogonal in sorted(sorted_out, reverse=True)]


def frozen_prefixes(config: OptimizerConfig, step: int) -> Tuple[str, ...]:
    """Return the prefixes of the weights that are frozen at this step."""
    return tuple(prefix for prefix, steps in config.freeze.items() if step < steps)


def check_prefixes(prefixes: Iterable[str], names: List[str], where: str) -> None:
    """Raise ConfigError for a prefix with which no name begins."""
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            near = difflib.get_close_matches(prefix, {name.split('.')[0] for name in names}, 3, .3)
            raise ConfigError('{}: no weight of the network has a name that begins with {!r}; '
                              'there is {}'.format(where, prefix, ', '.join(near or names[:3])))
