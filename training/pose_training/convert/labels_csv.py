# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of DeepLabCut: CollectedData_SCORER.csv, of one animal or of several.

The first rows are headers with these names in the first column: scorer, individuals (of several
animals only), bodyparts, coords. A row has the path of its image in the first column, or its
three parts in the first three, then x and y per keypoint; empty cells are keypoints without
label.
"""
import csv
import io
import math
import os
from typing import Dict, List, NamedTuple, Sequence, Tuple

from pose_ros.core.reading import MIB, read_file
from pose_training.errors import DataError

_LARGEST = 256 * MIB
_HEADERS = ('scorer', 'individuals', 'bodyparts', 'coords')
Animal = Dict[str, Tuple[float, float]]


class LabelTable(NamedTuple):
    """Keypoints in their order, and the animals [{keypoint: (x, y) px}] of each image."""

    keypoints: Tuple[str, ...]
    rows: List[Tuple[str, List[Animal]]]


def read_table(path: str) -> LabelTable:
    """Read a CollectedData file; DataError names the file and the row that is invalid."""
    if path.lower().endswith('.h5'):
        path = _csv_beside(path)
    try:
        text = read_file(path, _LARGEST).decode('utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise DataError('cannot read the labels {}: {}'.format(path, error)) from error
    try:
        lines = [line for line in csv.reader(io.StringIO(text)) if line]
    except csv.Error as error:
        raise DataError('{} is no CSV file: {}'.format(path, error)) from error
    headers = {line[0]: line for line in lines[:len(_HEADERS)] if line[0] in _HEADERS}
    if not {'bodyparts', 'coords'} <= set(headers):
        raise DataError('{} is no CollectedData of DeepLabCut: its first rows are not {}'.format(
            path, ', '.join(_HEADERS)))
    columns = _columns(headers, path)
    keypoints = tuple(dict.fromkeys(name for _, name, _ in columns.values()))
    first = min(columns)
    return LabelTable(keypoints, [_row(line, columns, first, path)
                                  for line in lines[len(headers):]])


def _csv_beside(path):
    beside = path[:-len('.h5')] + '.csv'
    if not os.path.isfile(beside):
        raise DataError('{} has no {} beside it, which DeepLabCut writes with it, and which is '
                        'read in its place; with pandas: read_hdf(FILE).to_csv(OTHER)'.format(
                            path, os.path.basename(beside)))
    return beside


def _columns(headers: Dict[str, List[str]], path) -> Dict[int, Tuple[str, str, str]]:
    """Return individual, keypoint and axis of each column with coordinates."""
    names, axes = headers['bodyparts'], headers['coords']
    individuals = headers.get('individuals') or [''] * len(names)
    columns = {place: (individuals[place], names[place], axes[place])
               for place in range(1, min(len(names), len(axes), len(individuals)))
               if axes[place] in ('x', 'y')}
    wanted = {(individual, name, axis) for individual, name, _ in columns.values()
              for axis in ('x', 'y')}
    if not columns or len(columns) != len(wanted) or set(columns.values()) != wanted:
        raise DataError('{}: its columns are not one x and one y of each keypoint'.format(path))
    return columns


def _row(line: Sequence[str], columns, first, path) -> Tuple[str, List[Animal]]:
    image = os.path.join(*line[:first])
    animals: Dict[str, Dict[str, Dict[str, float]]] = {}
    for place, (individual, name, axis) in columns.items():
        text = line[place].strip() if place < len(line) else ''
        try:
            value = float(text) if text else math.nan
        except ValueError as error:
            raise DataError('{}, {}: {!r} is no number'.format(path, image, text[:40])) from error
        if math.isfinite(value):
            animals.setdefault(individual, {}).setdefault(name, {})[axis] = value
    found = [{name: (point['x'], point['y']) for name, point in animal.items()
              if len(point) == 2} for animal in animals.values()]
    return image, [animal for animal in found if animal]
