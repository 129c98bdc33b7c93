# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""FreiHAND (https://lmb.informatik.uni-freiburg.de/projects/freihand) to a COCO keypoint file.

NAME_xyz.json has 21 points of each hand [m] in the frame of the camera, NAME_K.json the camera
matrices, NAME/rgb the images; several images, with other backgrounds, share the labels in turn.
Its order of keypoints is that of hand_21.
"""
import json
import os

import numpy as np

from pose_ros.core.files import natural_key
from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.sources.images import image_names
from pose_ros.core.topology import get_topology
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish, grown_bounds)
from pose_training.errors import DataError

DESCRIPTION = ('FreiHAND, and hand datasets of its form: 3-D points of 21 keypoints per image and '
               'camera matrices. The keypoints are projected into the images (hand_21).')
EPILOG = """examples:
  pose-train convert freihand FreiHAND_pub_v2 -o hands.json --check look.png
  pose-train convert freihand FreiHAND_pub_v2_eval --set evaluation -o hands_test.json

The images with the numbers n, n + N, n + 2 N, ... of N labels show the same hand before other
backgrounds; --backgrounds 1 takes the first N alone.
"""
_TOPOLOGY = get_topology('hand_21')
_GROWTH = .15  # on each side, of the keypoints to a box


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('folder', metavar='FOLDER', help='folder with NAME_xyz.json, NAME_K.json '
                        'and NAME/rgb')
    parser.add_argument('--set', default='training', metavar='NAME', dest='name',
                        help='NAME of the files (default: %(default)s)')
    parser.add_argument('--backgrounds', type=int, default=0, metavar='N',
                        help='images of each hand at most (default: all)')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    images = os.path.join(options.folder, options.name, 'rgb')
    files = [os.path.join(options.folder, '{}_{}.json'.format(options.name, kind))
             for kind in ('xyz', 'K')]
    check_converter(options, [*files, *([images] if os.path.isdir(images) else [])])
    points, cameras = (_array(path, shape) for path, shape in zip(files, ((21, 3), (3, 3))))
    if len(points) != len(cameras):
        raise DataError('{} has {} hands, but {} has {} cameras'.format(
            files[0], len(points), files[1], len(cameras)))
    if not os.path.isdir(images):
        raise DataError('there is no folder {}'.format(images))
    names = sorted(image_names(images), key=natural_key)
    collection = Collection(options.output, _TOPOLOGY, 'hand', {
        'description': 'FreiHAND, ' + options.name, 'complete': True})
    for number, name in enumerate(names):
        if options.backgrounds and number >= options.backgrounds * len(points):
            collection.leave_out('images with further backgrounds', name)
            continue
        image = collection.add_image(os.path.join(images, name))
        if image is not None:
            _add_hand(collection, image, points[number % len(points)],
                      cameras[number % len(points)])
    return finish(collection, options, _TOPOLOGY)


def _add_hand(collection, image, points, camera):
    seen = points @ camera.T
    if not (seen[:, 2] > 0).all():
        collection.leave_out('hands with a point behind the camera', image['file_name'])
        return
    pixels = seen[:, :2] / seen[:, 2:]
    inside = ((pixels > -.5) & (pixels < np.array([image['width'], image['height']]) - .5)).all(1)
    keypoints = np.column_stack([pixels, 2 * inside])
    if not inside.any():
        collection.leave_out('hands outside their image', image['file_name'])
        return
    collection.add_person(image, keypoints, grown_bounds(keypoints, _GROWTH))


def _array(path, shape) -> np.ndarray:
    try:
        array = np.array(json.loads(read_file(path, LARGEST_LABELS)), float)
    except OSError as error:
        raise DataError('cannot read {}: {}'.format(path, error.strerror)) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError('{} is not a list of arrays of numbers: {}'.format(
            path, error)) from error
    if array.ndim != 3 or array.shape[1:] != shape or not len(array) \
            or not np.isfinite(array).all():
        raise DataError('{} must be a list of {} x {} finite numbers, not of the shape {}'.format(
            path, *shape, array.shape))
    return array
