# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations of DeeperCut, PoseTF and DeepLabCut 2 (pose_cfg.yaml) as those of this package.

Paths are relative to the folder of the file, or to `project_path`. The labels, and initial weights
of TensorFlow, are converted to files in the folder `pose_training` beside it; the run is there,
too.
"""
import difflib
import logging
import math
import os
from typing import Any, Dict, List, Mapping, Tuple

from pose_ros.core.errors import PoseRosError
from pose_training.errors import ConfigError
from pose_training.fitting.pose_cfg_data import FOLDER, initial_weights, training_set
from pose_training.fitting.pose_cfg_keys import DEFAULTS, EFFECTS, FIXED, WITHOUT_EFFECT

_LOG = logging.getLogger('pose_training')
_MARKS = ('net_type', 'num_joints', 'all_joints', 'init_weights', 'multi_step')
_NET_TYPES = {'resnet_50': 'r50', 'resnet_101': 'r101', 'resnet_152': 'r152'}
_MULTIPLE = 16   # of the sides of crops
_LARGEST = 4096  # px of an image; larger ones are reduced
_NO_CHANGES = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'),
                            0.)


def find_cfg(name: str) -> str:
    """Return the path of a configuration: DeeperCut looks in the folder POSE_PARAM_PATH."""
    folder = os.environ.get('POSE_PARAM_PATH', '')
    there = os.path.join(folder, name)
    return there if folder and not os.path.exists(name) and os.path.exists(there) else name


def is_pose_cfg(data: Mapping[str, Any]) -> bool:
    """Return whether the keys of a configuration are those of pose_cfg.yaml."""
    return any(key in data for key in _MARKS)


def translate(data: Mapping[str, Any], path: str) -> Dict[str, Any]:
    """Return the keys of a RunConfig for those of the pose_cfg.yaml `path`.

    Keys without an effect here, and unknown ones with the nearest name, are logged. ConfigError
    for values that no setting here corresponds to.
    """
    _tell_keys(data)
    cfg = {**DEFAULTS, **{key: value for key, value in data.items() if value is not None}}
    for key, (values, reason) in FIXED.items():
        if cfg.get(key) not in values:
            raise ConfigError('{}: {}: {!r} is not possible: {}'.format(
                path, key, cfg.get(key), reason))
    folder = os.path.dirname(os.path.abspath(path))
    try:
        model = _model(cfg, path)
        start = initial_weights(cfg, folder, str(model['name']))
        if start:
            model['backbone'] = start
        return {'model': model, 'data': _data(cfg, folder, path),
                'optimizer': _optimizer(cfg, bool(start), path), 'max_to_keep': 5,
                'validation': {'drawn_crops': 0}, 'output': os.path.join(folder, FOLDER, 'run')}
    except PoseRosError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError('{}: a value is invalid: {}'.format(path, error)) from error


def _tell_keys(data):
    known = (*DEFAULTS, *EFFECTS, *FIXED, *WITHOUT_EFFECT)
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = '; did you mean {!r}?'.format(near[0]) if near else ''
            _LOG.warning('pose_cfg: unknown key %r is not used%s', key, hint)
    idle = [key for key in data if key in WITHOUT_EFFECT]
    if idle:
        _LOG.info('pose_cfg: without effect here: %s', ', '.join(idle))


def _model(cfg, path) -> Dict[str, Any]:
    depth = _NET_TYPES.get(str(cfg['net_type']))
    if depth is None:
        raise ConfigError('{}: net_type: {!r} is none of {}; for small networks train '
                          'lite_part_detector with an own configuration'.format(
                              path, cfg['net_type'], ', '.join(_NET_TYPES)))
    kind = 'part_pairwise_' if cfg['pairwise_predict'] else 'part_detector_'
    block = int(cfg['intermediate_supervision_layer']) if cfg['intermediate_supervision'] else 0
    return {'name': kind + depth, 'topology': '' if cfg['dataset_type'] == 'coco' else 'dataset',
            'options': {'intermediate': block}}


def _data(cfg, folder, path) -> Dict[str, Any]:
    scale = float(cfg['global_scale'])
    size = [max(1, round(float(side) / _MULTIPLE)) * _MULTIPLE for side in cfg['crop_size']]
    low, high = cfg.get('scale_jitter_lo', 1.), cfg.get('scale_jitter_up', 1.)
    found: Dict[str, Any] = {
        'train': [training_set(cfg, folder, path)], 'size': size,
        'parts': {'radius': cfg['pos_dist_thresh'] * scale,
                  'offset_weight': cfg['locref_loss_weight'],
                  'pairwise_weight': cfg['pairwise_loss_weight']},
        'crop': {'scale': [scale * low, scale * high], 'rotation': float(cfg['rotation']),
                 'stretch': 0., 'flip': .5 if cfg['mirror'] else 0., 'mosaic': 0.,
                 'background': 0., 'max_side': _LARGEST}}
    if 'apply_prob' not in cfg:  # DeeperCut does not change pixel values
        found['photometric'] = dict(_NO_CHANGES)
    return found


def _optimizer(cfg, pretrained, path) -> Dict[str, Any]:
    steps = _steps(cfg, path)
    batch, total = int(cfg['batch_size']), steps[-1][1]
    epoch = max(1, min(int(cfg['save_iters']), total))
    found: Dict[str, Any] = {
        'batch': batch, 'crops_per_epoch': epoch * batch, 'epochs': math.ceil(total / epoch),
        'name': 'sgd', 'lr': steps[0][0], 'schedule': 'multi_step',
        'multi_step': [list(step) for step in steps], 'warmup': 0., 'weight_decay': 0.,
        'grad_clip_norm': 0., 'ema_decay': 0., 'precision': 'fp32', 'stage_weight': 1.,
        'foreground_weight': 0., 'norm': 'frozen' if pretrained else 'batch'}
    if cfg['optimizer'] == 'adam':
        found.update(name='adamw', lr=float(cfg['adam_lr']), schedule='constant', multi_step=[])
    return found


def _steps(cfg, path) -> List[Tuple[float, int]]:
    try:
        steps = [(float(rate), int(last)) for rate, last in cfg['multi_step']]
    except (TypeError, ValueError) as error:
        raise ConfigError('{}: multi_step must be a list of [learning rate, last step]: {}'.format(
            path, error)) from error
    if not steps or steps[-1][1] < 1:
        raise ConfigError('{}: multi_step is empty'.format(path))
    return steps
