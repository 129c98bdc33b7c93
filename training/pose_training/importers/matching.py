# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the tensors of a weight file with a network, and load them."""
import re
from typing import Any, Dict, NamedTuple

import numpy as np
import torch

from pose_training.errors import WeightsError
from pose_training.importers.limits import MOST_AXES
from pose_training.models.network import PoseNetwork

_MOST_LISTED = 8


class Weights(NamedTuple):
    """The result of an importer: float32 arrays by state name, in the layout (out, in, kh, kw).

    `options` are options of `create_model` that the file needs; `provenance` are further facts of
    the weights (JSON data).
    """

    tensors: Dict[str, np.ndarray]
    options: Dict[str, Any] = {}
    provenance: Dict[str, Any] = {}


def load_weights(network: PoseNetwork, weights: Weights, where: str, ignored: str = '') -> None:
    """Load the weights; WeightsError lists missing and unexpected tensors, and other shapes.

    `ignored` is a regular expression (from the start) of the names of unused tensors; `where`
    names the file. Nothing is loaded unless all tensors match.
    """
    wanted = {name: value for name, value in network.state_dict().items()
              if not name.endswith('num_batches_tracked')}
    found = {name: value for name, value in weights.tensors.items()
             if name in wanted or not (ignored and re.match(ignored, name))}
    faults = _faults(wanted, found)
    if faults:
        raise WeightsError('{} does not fit {}: {}. Is it the file of another network? '
                           '`pose-train models` lists all networks'.format(
                               where, network.recipe.name, '; '.join(faults)))
    state = {name: torch.from_numpy(np.ascontiguousarray(found[name], np.float32))
             for name in wanted}
    network.load_state_dict(state, strict=False)


def _faults(wanted, found):
    shapes = ['{} is {}, not {}'.format(name, tuple(found[name].shape[:MOST_AXES]),
                                        tuple(wanted[name].shape))
              for name in wanted if name in found
              and tuple(found[name].shape) != tuple(wanted[name].shape)]
    infinite = [] if shapes else [name for name in wanted if name in found
                                  and not np.isfinite(found[name]).all()]
    return [fault for fault in (
        _listed('missing', [name for name in wanted if name not in found]),
        _listed('not part of the network', [name for name in found if name not in wanted]),
        _listed('wrong shape', shapes), _listed('not finite', infinite)) if fault]


def _listed(title, names):
    if not names:
        return ''
    more = ' and {} more'.format(len(names) - _MOST_LISTED) if len(names) > _MOST_LISTED else ''
    return '{} ({}): {}{}'.format(title, len(names), ', '.join(names[:_MOST_LISTED]), more)
