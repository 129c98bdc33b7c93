# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Names and options in the files of convolutional pose machines."""
import re
from typing import Any, Dict, Mapping

import numpy as np

from pose_training.importers.matching import Weights
from pose_training.models.cpm import BODY, HAND, Tables

_STAGE = re.compile(r'^stage_([0-9]{1,3})\.mid_conv([1-7])$')
_FIRST = re.compile(r'Mconv1_stage([0-9]{1,3})\.weight')
_CHANNELS = BODY.features[0].outputs  # of the first layer of every published network


def named(weights: Weights, path: str) -> Weights:
    """Return the weights by the names of Caffe, in place of the scopes of TensorFlow.

    The options are those that the arrays show: the number of stages, gray images, and a share of
    the channels. `path` is not used, because names that fit nothing are left to the comparison
    with the network.
    """
    stem = _stem(HAND if _is_hand(weights.tensors) else BODY)
    tensors = {}
    for name, array in weights.tensors.items():
        scope, dot, part = name.rpartition('.')
        scope = stem.get(scope, _STAGE.sub(r'Mconv\2_stage\1', scope))
        tensors[scope + dot + part] = array
    return weights._replace(tensors=tensors, options={**_options(tensors), **weights.options})


def _stem(tables: Tables) -> Dict[str, str]:
    *layers, features = [layer.name for layer in tables.features]
    names = {'sub_stages.sub_conv{}'.format(place): name for place, name in enumerate(layers, 1)}
    names.update({'sub_stages.sub_stage_img_feature': features,
                  'stage_1.conv1': tables.first.name, 'stage_1.stage_heatmap': tables.last})
    return names


def _is_hand(tensors: Mapping[str, np.ndarray]) -> bool:
    """Return whether layers 10 and 11 have as many channels, as those of hands."""
    shapes = [np.shape(tensors.get('sub_stages.sub_conv{}.weight'.format(place)))
              for place in (10, 11)]
    return all(shapes) and shapes[0][0] == shapes[1][0]


def _options(tensors: Mapping[str, np.ndarray]) -> Dict[str, Any]:
    stages = {int(found[1]) for found in map(_FIRST.fullmatch, tensors) if found}
    options: Dict[str, Any] = {'stages': max(stages)} if stages else {}
    kernel = tensors.get('conv1_1.weight')
    if kernel is not None and kernel.ndim == 4:
        outputs, colors = kernel.shape[:2]
        options.update([('gray', True)] * (colors == 1))
        options.update([('width', outputs / _CHANNELS)] * (outputs != _CHANNELS))
    return options
