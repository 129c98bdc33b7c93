# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MPII Human Pose (http://human-pose.mpi-inf.mpg.de) to a COCO keypoint file.

The MATLAB struct RELEASE has annolist (image, annorect) and img_train; annorect of each person
has the head rectangle x1, y1, x2, y2, objpos and scale (200 px of height), annopoints.point with
x, y, id and is_visible. The lists of the Microsoft repository (JSON) have image, center, scale,
keypoints and their visibility. All coordinates count pixels from 1, as MATLAB does.
"""
import json
import os
from types import SimpleNamespace
from typing import List, Optional, Set, Tuple

import numpy as np

from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.topology import get_topology
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish, grown_bounds)
from pose_training.errors import DataError
from pose_training.mat_file import fields, items, read_mat

DESCRIPTION = ('MPII Human Pose: the MATLAB file, or a list of people in JSON. Head rectangles '
               'are kept (bbox_head), so that pose-train evaluate measures PCKh.')
EPILOG = """examples:
  pose-train convert mpii mpii_human_pose_v1_u12_1.mat --images mpii -o mpii.json
  pose-train convert mpii mpii_human_pose_v1_u12_1.mat --images mpii --people list.json -o v.json
  pose-train convert mpii mpii_human_pose_v1_u12_1.mat --images mpii --split test -o test.json
  pose-train convert mpii list.json --images mpii -o v.json --check look.png

The published labels have no validation split. --people selects the people of a list, such as the
train.json and valid.json of the Microsoft repository (2,958 people in valid.json): by image name
and place. A list alone has no head rectangles. People without keypoints, such as all of the test
split, get a box from their place and scale.
"""
_TOPOLOGY = get_topology('mpii_16')
_HEIGHT = 200  # px of a person of scale 1
Key = Tuple[str, int, int]


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('labels', metavar='FILE', help='mpii_human_pose_v1_u12_1.mat, or a JSON '
                        'list of people')
    parser.add_argument('--images', required=True, metavar='FOLDER', help='folder of the images')
    parser.add_argument('--split', choices=('train', 'test'), default='train',
                        help='of the MATLAB file (default: %(default)s)')
    parser.add_argument('--people', metavar='LIST', help='convert only the people of this JSON '
                        'list, with the images that have one')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    check_converter(options, [options.labels, options.people, options.images])
    collection = Collection(options.output, _TOPOLOGY, info={
        'description': 'MPII Human Pose, ' + options.split, 'complete': False})
    if options.labels.lower().endswith('.json'):
        for entry in _list(options.labels):
            _add_listed(collection, options.images, entry)
    else:
        _add_release(collection, options)
    return finish(collection, options, _TOPOLOGY)


def _add_release(collection, options):
    chosen = None if options.people is None else {
        entry.key for entry in _list(options.people)}
    release = read_mat(options.labels, 'RELEASE').get('RELEASE')
    if not {'annolist', 'img_train'} <= set(fields(release)):
        raise DataError('{} has no struct RELEASE with annolist and img_train: it is not the file '
                        'of the MPII Human Pose dataset'.format(options.labels))
    entries, training = items(release.annolist), items(release.img_train)
    if len(entries) != len(training):
        raise DataError('{}: {} images, but img_train has {} values'.format(
            options.labels, len(entries), len(training)))
    for number, (entry, train) in enumerate(zip(entries, training), 1):
        if bool(train) != (options.split == 'train'):
            continue
        try:
            _add_entry(collection, options, number, entry, chosen)
        except (AttributeError, TypeError, ValueError, IndexError) as error:
            raise DataError('{}: image {} of annolist is invalid: {}'.format(
                options.labels, number, error)) from error


def _add_entry(collection, options, number, entry, chosen: Optional[Set[Key]]):
    name = str(entry.image.name)
    rects = [(place, rect) for place, rect in enumerate(items(entry.annorect), 1)
             if chosen is None or _key(name, _place(rect)) in chosen]
    if not rects and (chosen is not None or options.split == 'train'):
        if chosen is None:
            collection.leave_out('images without people', name)
        return
    image = collection.add_image(os.path.join(options.images, name), number, mpii_image=number)
    if image is None:
        return
    for place, rect in rects:
        _add_rect(collection, image, place, rect)


def _add_rect(collection, image, place, rect):
    keypoints, more = _points(rect), {'mpii_person': place}
    corners = [_number(rect, name) for name in ('x1', 'y1', 'x2', 'y2')]
    if None not in corners:
        x1, y1, x2, y2 = corners
        more['bbox_head'] = [x1 - 1, y1 - 1, x2 - x1, y2 - y1]
    at, scale = _place(rect), _number(rect, 'scale')
    if (keypoints[:, 2] > 0).any():
        bounds = keypoints if 'bbox_head' not in more else np.concatenate([
            keypoints, [[x1 - 1, y1 - 1, 1], [x2 - 1, y2 - 1, 1]]])
        collection.add_person(image, keypoints, grown_bounds(bounds, .1), **more)
    elif at is not None and scale:
        side = _HEIGHT * scale
        collection.add_person(image, keypoints, [at[0] - 1 - side / 2, at[1] - 1 - side / 2,
                                                 side, side], **more)
    else:
        collection.leave_out('people without keypoints, place and scale', image['file_name'])


def _points(rect) -> np.ndarray:
    """Return (16, 3) of a person: x, y [px] from 0, and 0, 1 (occluded) or 2."""
    keypoints = np.zeros((_TOPOLOGY.size, 3))
    for points in items(getattr(rect, 'annopoints', None)):
        for point in items(getattr(points, 'point', None)):
            number = int(point.id)
            if not 0 <= number < _TOPOLOGY.size:
                raise ValueError('a keypoint has the id {}'.format(number))
            seen = [str(value) for value in items(getattr(point, 'is_visible', None))]
            # Head top and neck have no is_visible.
            keypoints[number] = point.x - 1, point.y - 1, 1 if seen == ['0'] else 2
    if not np.isfinite(keypoints).all():
        raise ValueError('a coordinate is no number')
    return keypoints


def _place(rect) -> Optional[Tuple[float, float]]:
    at = getattr(rect, 'objpos', None)
    x, y = (_number(at, name) for name in ('x', 'y'))
    return None if x is None or y is None else (x, y)


def _number(value, name) -> Optional[float]:
    found = items(getattr(value, name, None))
    return float(found[0]) if len(found) == 1 and np.isfinite(float(found[0])) else None


def _key(name, place) -> Key:
    x, y = place if place is not None else (-1, -1)
    return os.path.basename(name), int(round(x)), int(round(y))


def _list(path) -> List[SimpleNamespace]:
    try:
        entries = json.loads(read_file(path, LARGEST_LABELS),
                             object_hook=lambda entry: SimpleNamespace(**entry))
        for entry in entries:
            entry.keypoints = np.column_stack([
                np.array(entry.joints, float).reshape(_TOPOLOGY.size, 2) - 1,
                2 * (np.array(entry.joints_vis, float).reshape(_TOPOLOGY.size) > 0)])
            entry.key = _key(entry.image, entry.center)
    except OSError as error:
        raise DataError('cannot read {}: {}'.format(path, error.strerror)) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError('{} is not a list of people with their image, center and {} keypoints: '
                        '{}'.format(path, _TOPOLOGY.size, error)) from error
    return entries


def _add_listed(collection, folder, entry):
    path = os.path.join(folder, entry.image)
    image = next((image for image in reversed(collection.images)
                  if collection.paths[image['id']] == path), None) \
        or collection.add_image(path)
    if image is not None:
        collection.add_person(image, entry.keypoints)
