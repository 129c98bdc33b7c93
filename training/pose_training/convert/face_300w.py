# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""300W (https://ibug.doc.ic.ac.uk/resources/300-W) and its kind to a COCO keypoint file.

Beside each image NAME.jpg or NAME.png a text NAME.pts has 68 points, which count pixels from 1:
version: 1 / n_points: 68 / { / x y / ... / }.
"""
import os

import numpy as np

from pose_ros.core.files import natural_key
from pose_ros.core.reading import MIB, read_file
from pose_ros.core.sources.images import IMAGE_EXTENSIONS
from pose_ros.core.topology import get_topology
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish, grown_bounds)
from pose_training.errors import DataError

DESCRIPTION = ('300W, AFW, HELEN, LFPW, IBUG: images of faces with .pts files of 68 points. They '
               'are the first 68 keypoints of face_70; the pupils have no labels.')
EPILOG = """examples:
  pose-train convert 300w 300w/ -o faces.json --check look.png
  pose-train convert 300w helen/trainset lfpw/trainset afw -o faces.json

Folders are searched with all folders in them.
"""
_TOPOLOGY = get_topology('face_70')
_POINTS = 68
_LARGEST_PTS = MIB
_GROWTH = .1  # on each side, of the keypoints to a box


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('folders', nargs='+', metavar='FOLDER', help='folders of images and .pts')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    paths = [path for folder in options.folders for path in _files(folder)]
    images = {path: _image(path) for path in paths}
    check_converter(options, [*paths, *(image for image in images.values() if image)])
    collection = Collection(options.output, _TOPOLOGY, 'face', {
        'description': '300W', 'complete': False})
    for path in paths:
        if images[path] is None:
            collection.leave_out('.pts files without an image beside them', path)
            continue
        keypoints = np.zeros((_TOPOLOGY.size, 3))
        keypoints[:_POINTS] = _read(path)
        image = collection.add_image(images[path])
        if image is not None:
            collection.add_person(image, keypoints, grown_bounds(keypoints, _GROWTH))
    return finish(collection, options, _TOPOLOGY)


def _files(folder):
    if not os.path.isdir(folder):
        raise DataError('there is no folder {}'.format(folder))
    found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names
             if name.lower().endswith('.pts')]
    if not found:
        raise DataError('the folder {} has no .pts files'.format(folder))
    return sorted(found, key=natural_key)


def _image(path):
    stem = os.path.splitext(path)[0]
    return next((stem + ending for ending in IMAGE_EXTENSIONS if os.path.isfile(stem + ending)),
                None)


def _read(path) -> np.ndarray:
    """Return (68, 3): x, y [px] from 0, and 2."""
    try:
        head, _, rest = read_file(path, _LARGEST_PTS).decode('ascii').partition('{')
        points = np.array(rest.partition('}')[0].split(), float).reshape(-1, 2)
        if len(points) != _POINTS or not np.isfinite(points).all():
            raise ValueError('it has {} points, and 68 finite ones are needed'.format(len(points)))
    except OSError as error:
        raise DataError('cannot read {}: {}'.format(path, error.strerror)) from error
    except ValueError as error:
        raise DataError('{} is not a .pts file of 68 points: {}'.format(path, error)) from error
    return np.column_stack([points - 1, np.full(_POINTS, 2)])
