# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets of DeeperCut and DeepLabCut to COCO keypoint files.

A MATLAB file has the struct array `dataset` with image (a path, or its parts), size [channels,
height, width] and 'joints': a cell per person of rows (keypoint from 0, x, y). A project has
labeled-data/VIDEO/CollectedData_SCORER.csv, see labels_csv.py.
"""
import glob
import os
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from pose_ros.core.topology import Topology
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish)
from pose_training.convert.labels_csv import LabelTable, read_table
from pose_training.errors import ConfigError, DataError
from pose_training.importers.pose_cfg import (cfg_names, cfg_topology, named_topology, POSE_CFG,
                                              PROJECT, read_yaml)
from pose_training.mat_file import fields, items, read_mat

DESCRIPTION = ('DeeperCut and DeepLabCut: a MATLAB file `dataset`, a project, or one of its '
               'CollectedData files. Keypoints and lines are those of config.yaml or '
               'pose_cfg.yaml.')
EPILOG = """examples:
  pose-train convert deeplabcut my_project -o animals.json --check look.png
  pose-train convert deeplabcut labeled-data/video1/CollectedData_me.csv -o animals.json
  pose-train convert deeplabcut dataset.mat --pose-cfg pose_cfg.yaml --images mpii -o mpii.json \\
    --first-pixel 1

A project gives all of its labeled-data. DeeperCut's MPII and Penn Action count pixels from 1, as
MATLAB does: --first-pixel 1.
"""
_ROWS = 'joints'  # the field of the keypoints
_COLLECTED = 'CollectedData_*'
_ENDINGS = ('.csv', '.h5')


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('labels', metavar='PATH', help='dataset.mat, the folder of a project, or '
                        'a CollectedData file (.csv or .h5)')
    parser.add_argument('--images', metavar='FOLDER', default='', help='folder that image paths '
                        'are relative to (default: that of the project or of the file)')
    parser.add_argument('--pose-cfg', metavar='FILE', default='', help='pose_cfg.yaml, or the '
                        'config.yaml of a project, with the names of the keypoints (default: one '
                        'beside the file or in the project)')
    parser.add_argument('--first-pixel', type=int, choices=(0, 1), default=0,
                        help='the number of the first pixel (default: %(default)s)')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    if options.labels.lower().endswith('.mat'):
        check_converter(options, [options.labels, options.pose_cfg, options.images])
        return _run_mat(options)
    files = _collected(options.labels)
    check_converter(options, [*files, options.pose_cfg, options.images])
    return _run_tables(options, files)


def convert_mat(path: str, images: str, cfg: Dict[str, Any], output: str,
                first_pixel: int = 0) -> Tuple[Collection, Topology]:
    """Return the dataset of a MATLAB file, for a keypoint file `output`, and its skeleton.

    `cfg` are the keys of pose_cfg.yaml or of a project's config.yaml. DataError or ConfigError for
    an invalid file, or one without names of its keypoints.
    """
    entries = items(read_mat(path, 'dataset').get('dataset'))
    if not entries or not {'image', _ROWS} <= set(fields(entries[0])):
        raise DataError('{} has no struct array `dataset` with image and {}: it is no '
                        'dataset of DeeperCut or DeepLabCut'.format(path, _ROWS))
    people = [_people(entry, path, number) for number, entry in enumerate(entries, 1)]
    largest = max((int(person[:, 0].max()) for each in people for person in each), default=-1)
    topology = _topology(cfg, largest + 1, path)
    collection = Collection(output, topology, _category(topology), {'description': 'DeeperCut'})
    for entry, each in zip(entries, people):
        image = collection.add_image(_image_path(entry.image, images, path))
        for person in each if image is not None else ():
            keypoints = np.zeros((topology.size, 3))
            keypoints[person[:, 0].astype(int), :2] = person[:, 1:] - first_pixel
            keypoints[person[:, 0].astype(int), 2] = 2
            collection.add_person(image, keypoints)
    return collection, topology


def _run_mat(options):
    cfg = _cfg(options.pose_cfg, options.labels)
    images = options.images or os.path.dirname(options.labels)
    collection, topology = convert_mat(options.labels, images, cfg, options.output,
                                       options.first_pixel)
    return finish(collection, options, topology)


def _people(entry, path, number) -> List[np.ndarray]:
    """Return the rows (n, 3) keypoint, x, y of each person of an entry."""
    cells = entry.joints
    if not isinstance(cells, np.ndarray) or cells.dtype.kind != 'O':
        cells = [cells]
    try:
        people = [np.array(cell, float).reshape(-1, 3) for cell in cells]
    except (TypeError, ValueError) as error:
        raise DataError('{}: entry {}: its {} are no rows of keypoint, x, y'.format(
            path, number, _ROWS)) from error
    people = [person for person in people if len(person)]
    for person in people:
        if not np.isfinite(person).all() or not (0 <= person[:, 0]).all() \
                or not (person[:, 0] < 255).all():
            raise DataError('{}: entry {}: invalid numbers in its {}'.format(
                path, number, _ROWS))
    return people


def _topology(cfg, keypoints, path) -> Topology:
    names = cfg.get('bodyparts') or cfg_names(cfg)
    if isinstance(names, list) and len(names) >= keypoints and names:
        typed = cfg_topology(cfg, cfg, len(names), path)
        return typed if 'bodyparts' not in cfg else named_topology(names, cfg)
    if names:
        raise ConfigError('{} has a keypoint {}, but only {} names: {}'.format(
            path, keypoints - 1, len(names), ', '.join(map(str, names))))
    return cfg_topology(cfg, {}, keypoints, path)


def _category(topology):
    return 'person' if 'right_ankle' in topology.keypoint_names else 'animal'


def _image_path(image: Any, folder, path) -> str:
    parts = [str(part).strip() for part in items(image)] if isinstance(image, np.ndarray) \
        else [str(image).strip()]
    name = os.path.join(*parts) if parts else ''
    there = os.path.join(folder, name)
    # Paths of another machine: the end of them that is in the folder.
    pieces = name.replace('\\', '/').split('/')
    for start in range(len(pieces)):
        candidate = os.path.join(folder, *pieces[start:])
        if os.path.isfile(candidate):
            return candidate
    return there


def _cfg(chosen, beside) -> Dict[str, Any]:
    """Return the keys of the chosen configuration, or of one beside a file; {} without."""
    folder = beside if os.path.isdir(beside) else os.path.dirname(os.path.abspath(beside))
    for path in [chosen] if chosen else [os.path.join(folder, name)
                                         for name in (POSE_CFG, PROJECT)]:
        if chosen or os.path.isfile(path):
            return read_yaml(path)
    return {}


def _collected(path) -> List[str]:
    """Return the CollectedData files of a path: one of each folder, .csv before .h5."""
    if not os.path.isdir(path):
        return [path]
    places = ('', '*', os.path.join('labeled-data', '*'))
    found: Dict[str, List[str]] = {}
    for place in places:
        for name in sorted(glob.glob(os.path.join(glob.escape(path), place, _COLLECTED))):
            if name.endswith(_ENDINGS):
                found.setdefault(name.rpartition('.')[0], []).append(name)
    if not found:
        raise DataError('{} has no labeled-data/*/{}.csv: it is no project of DeepLabCut'.format(
            path, _COLLECTED))
    return [names[0] for names in found.values()]


def _run_tables(options, files: Sequence[str]):
    tables = [read_table(path) for path in files]
    project = _project(options)
    names = _names(tables, project, files)
    topology = named_topology(names, project)
    collection = Collection(options.output, topology, _category(topology),
                            {'description': 'DeepLabCut'})
    for path, table in zip(files, tables):
        folder = options.images or _root(options.labels, path)
        for image, animals in table.rows:
            entry = collection.add_image(_image_path(image, folder, path))
            if entry is None:
                continue
            for animal in animals:
                keypoints = np.zeros((topology.size, 3))
                for name, point in animal.items():
                    keypoints[names.index(name)] = (point[0] - options.first_pixel,
                                                    point[1] - options.first_pixel, 2)
                collection.add_person(entry, keypoints)
    return finish(collection, options, topology)


def _root(labels, path):
    """Return the folder that image paths are relative to: the project of a file."""
    if os.path.isdir(labels):
        return labels
    return os.path.join(os.path.dirname(os.path.abspath(path)), '..', '..')


def _project(options) -> Dict[str, Any]:
    if options.pose_cfg or os.path.isdir(options.labels):
        return _cfg(options.pose_cfg, options.labels)
    return _cfg('', _root(options.labels, options.labels))


def _names(tables: Sequence[LabelTable], project, files) -> List[str]:
    """Return the keypoints: those of the project, else of the tables, which must agree."""
    written = project.get('bodyparts')
    names = list(map(str, written)) if isinstance(written, list) else list(tables[0].keypoints)
    for path, table in zip(files, tables):
        strange = [name for name in table.keypoints if name not in names]
        if strange:
            raise DataError('{} has the keypoint {!r}, and {} has {}'.format(
                path, strange[0], PROJECT if isinstance(written, list) else files[0],
                ', '.join(names)))
    return names
