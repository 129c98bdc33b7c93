# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and initial weights that a pose_cfg.yaml names, as files that this package reads."""
import logging
import os
from typing import Any, Dict, List, Mapping

from pose_ros.core.command_files import write_json
from pose_training.checkpoint import save_checkpoint
from pose_training.errors import ConfigError

FOLDER = 'pose_training'  # beside the configuration
_LOG = logging.getLogger('pose_training')
_FROM_ONE = ('mpii', 'penn_action')  # count pixels from 1


def training_set(cfg: Mapping[str, Any], folder: str, where: str) -> Dict[str, Any]:
    """Return the keys of a SetConfig; a MATLAB file is converted to one of COCO's format."""
    if not cfg.get('dataset'):
        raise ConfigError('{}: it names no `dataset`'.format(where))
    path = _found(str(cfg['dataset']), cfg, folder)
    if not path:
        raise ConfigError('{}: there is no dataset {!r} in {}'.format(
            where, cfg['dataset'], ' or '.join(_folders(cfg, folder))))
    visible = not cfg['weigh_only_present_joints']
    if cfg['dataset_type'] != 'coco':
        return {'path': _converted(path, cfg, folder), 'all_visible_keypoints_annotated': visible}
    phase = str(cfg.get('dataset_phase', 'train2014'))
    labels = os.path.join(path, 'annotations', '{}_{}.json'.format(
        cfg.get('dataset_ann', 'person_keypoints'), phase))
    return {'path': labels, 'images': os.path.join(path, 'images', phase),
            'all_visible_keypoints_annotated': visible,
            'empty_weight': 0. if cfg.get('coco_only_images_with_people') else 1.}


def initial_weights(cfg: Mapping[str, Any], folder: str, network: str) -> str:
    """Return a checkpoint with the initial weights, '' if they cannot be read."""
    name = str(cfg.get('init_weights') or '')
    if not name:
        return ''
    path = _found(name, cfg, folder)
    if path.endswith('.pt'):
        return path
    prefix = _found(name + '.index', cfg, folder)
    if not prefix:
        _LOG.warning('pose_cfg: there are no readable init_weights %r (a .pt, or a TensorFlow '
                     'checkpoint of version 2 with its .index): the network begins with random '
                     'weights, and its batch norms are trained', name)
        return ''
    from pose_training.importers.formats import import_network
    target = os.path.join(folder, FOLDER, 'start.pt')
    os.makedirs(os.path.dirname(target), exist_ok=True)
    save_checkpoint(target, *import_network('deepercut', prefix, network.replace(
        'part_pairwise', 'part_detector')))
    return target


def _converted(path, cfg, folder) -> str:
    from pose_training.convert.deeplabcut import convert_mat
    target = os.path.join(folder, FOLDER, 'labels.json')
    os.makedirs(os.path.dirname(target), exist_ok=True)
    images = str(cfg.get('project_path') or '')
    collection, _ = convert_mat(path, images if os.path.isdir(images) else os.path.dirname(path),
                                dict(cfg), target, int(cfg['dataset_type'] in _FROM_ONE))
    for line in collection.reasons():
        _LOG.warning('%s: left out: %s', path, line)
    write_json(target, collection.data())
    return target


def _folders(cfg, folder) -> List[str]:
    project = str(cfg.get('project_path') or '')
    return [folder, *([project] if project else [])]


def _found(name, cfg, folder) -> str:
    """Return the path of a file or folder of the configuration, '' if there is none."""
    candidates = [os.path.join(place, name) for place in _folders(cfg, folder)]
    return next((path for path in candidates if os.path.exists(path)), '')
