# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PoseTrack 2017 and 2018 (https://posetrack.net) to one COCO keypoint file.

2018: one COCO-like file per sequence. 2017: `annolist` of `image`, `annorect` and
`ignore_regions`, with each value in a list of its own (github.com/leonid-pishchulin/poseval).
"""
import json
import os
import re
from typing import Any, Dict, Iterator, List

import numpy as np

from pose_ros.core.files import natural_key
from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.topology import make_topology, Topology
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish, grown_bounds)
from pose_training.errors import DataError

DESCRIPTION = ('PoseTrack 2017 or 2018: a folder with a file per sequence, or one such file. The '
               'ids of people, sequences, frame numbers, head boxes and regions to ignore are '
               'kept.')
EPILOG = """examples:
  pose-train convert posetrack annotations/val -o val2018.json --check look.png
  pose-train convert posetrack annotations/val --images /data/pt18 -o val2018.json --all-frames

The 17 keypoints are those of COCO with head_bottom and head_top in place of the eyes; the ears are
never labelled. Frames without labels (is_labeled) are left out; --all-frames keeps them for the
tracking and for result files of pose-train evaluate. A training does not use them.
"""
# The order of PoseTrack 2018; the limbs are those of its files, from 0.
_NAMES = ('nose', 'head_bottom', 'head_top', 'left_ear', 'right_ear', 'left_shoulder',
          'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip',
          'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle')
_LIMBS = ((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7),
          (6, 8), (7, 9), (8, 10), (1, 2), (0, 1), (0, 2))
# Of the ids of PoseTrack 2017.
_ORDER_2017 = ('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle',
               'right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow',
               'left_wrist', 'head_bottom', 'nose', 'head_top')
_GROWTH = .15  # on each side, of the keypoints to a box (Xiao et al., ECCV 2018)
_ANCESTORS = 4  # folders above the labels in which images are looked for


def posetrack_topology() -> Topology:
    """Return the keypoints and limbs of PoseTrack 2018."""
    return make_topology('posetrack_17', _NAMES, _LIMBS)


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('labels', metavar='FOLDER|FILE', help='labels: JSON, one file for each '
                        'sequence')
    parser.add_argument('--images', metavar='FOLDER', help='folder that file names are relative '
                        'to (default: the nearest one above the labels that has them)')
    parser.add_argument('--all-frames', action='store_true',
                        help='keep frames without labels, too')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    paths = _files(options.labels)
    check_converter(options, paths)
    topology = posetrack_topology()
    collection = Collection(options.output, topology, info={'description': 'PoseTrack'})
    for path in paths:
        _add_sequence(collection, path, options)
    return finish(collection, options, topology)


def _files(path) -> List[str]:
    if not os.path.isdir(path):
        return [path]
    names = sorted((name for name in os.listdir(path) if name.endswith('.json')), key=natural_key)
    if not names:
        raise DataError('the folder {} has no .json files'.format(path))
    return [os.path.join(path, name) for name in names]


def _add_sequence(collection, path, options):
    try:
        data = json.loads(read_file(path, LARGEST_LABELS))
        frames = list(_frames_2017(data) if 'annolist' in data else _frames_2018(data))
    except OSError as error:
        raise DataError('cannot read {}: {}'.format(path, error.strerror)) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError,
            RecursionError) as error:
        raise DataError('{} is no file of PoseTrack 2017 or 2018: {} {}'.format(
            path, type(error).__name__, error)) from error
    root = options.images or _root(path, frames)
    own = os.path.splitext(os.path.basename(path))[0]
    for frame in frames:
        if not frame['labeled'] and not options.all_frames:
            collection.leave_out('frames without labels', frame['name'])
            continue
        # A file may have several sequences.
        folder = os.path.basename(os.path.dirname(frame['name']))
        image = collection.add_image(
            os.path.join(root, frame['name']), frame['id'], sequence=folder or own,
            frame=frame['number'], is_labeled=frame['labeled'], posetrack_name=frame['name'])
        if image is not None:
            _add_people(collection, image, frame)


def _add_people(collection, image, frame):
    for outline in frame['regions']:
        if len(outline) >= 3:
            collection.add_region(image, np.ravel(outline).tolist())
    for person in frame['people']:
        if not (person['keypoints'][:, 2] > 0).any():
            collection.leave_out('people without keypoints', frame['name'])
            continue
        more = {name: person[name] for name in ('track_id', 'bbox_head') if name in person}
        collection.add_person(image, person['keypoints'], person.get('bbox') or grown_bounds(
            person['keypoints'], _GROWTH), **more)


def _frames_2018(data) -> Iterator[Dict[str, Any]]:
    # The names of the keypoints are those of COCO's eyes in some copies of the files.
    people: Dict[Any, List[Dict[str, Any]]] = {}
    for entry in data['annotations'] or ():
        keypoints = np.array(entry.get('keypoints') or np.zeros(51), float).reshape(-1, 3)
        if len(keypoints) != len(_NAMES):
            raise ValueError('{} keypoints, not 17'.format(len(keypoints)))
        people.setdefault(entry['image_id'], []).append(_person(entry, keypoints))
    for entry in data['images']:
        name = str(entry['file_name'])
        found = people.get(entry['id'], [])
        yield {'name': name, 'id': int(entry['id']), 'number': _number(name), 'people': found,
               'labeled': bool(entry.get('is_labeled', found)),
               'regions': [np.column_stack(sides).tolist() for sides in zip(
                   entry.get('ignore_regions_x') or (), entry.get('ignore_regions_y') or ())]}


def _person(entry, keypoints):
    keypoints[:, 2] = 2 * (keypoints[:, 2] > 0)  # PoseTrack has no occluded ones
    person = {'keypoints': _finite(keypoints)}
    if 'track_id' in entry:
        person['track_id'] = int(entry['track_id'])
    for name in ('bbox', 'bbox_head'):
        if entry.get(name):
            person[name] = _finite(np.array(entry[name], float).reshape(4)).tolist()
    return person


def _frames_2017(data) -> Iterator[Dict[str, Any]]:
    for entry in data['annolist']:
        name = str(entry['image'][0]['name'])
        people = [_person_2017(rect) for rect in entry.get('annorect') or ()]
        labeled = entry.get('is_labeled')
        yield {'name': name, 'id': None, 'number': _number(name), 'people': people,
               'labeled': bool(labeled[0]) if labeled else bool(people),
               'regions': [[(point['x'][0], point['y'][0]) for point in region['point']]
                           for region in entry.get('ignore_regions') or ()]}


def _person_2017(rect):
    keypoints = np.zeros((len(_NAMES), 3))
    for points in rect.get('annopoints') or ():
        for point in points.get('point') or ():
            number = point['id'][0]
            if not 0 <= number < len(_ORDER_2017):
                raise ValueError('a keypoint has the id {}'.format(number))
            keypoints[_NAMES.index(_ORDER_2017[number])] = point['x'][0], point['y'][0], 2
    person = {'keypoints': _finite(keypoints)}
    if rect.get('track_id'):
        person['track_id'] = int(rect['track_id'][0])
    if all(rect.get(name) for name in ('x1', 'y1', 'x2', 'y2')):
        x1, y1, x2, y2 = (float(rect[name][0]) for name in ('x1', 'y1', 'x2', 'y2'))
        person['bbox_head'] = [x1, y1, x2 - x1, y2 - y1]
    return person


def _finite(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError('a coordinate is no number')
    return values


def _number(name) -> int:
    """Return the number of a frame: the last number in its file name."""
    found = re.findall(r'\d+', os.path.splitext(os.path.basename(name))[0])
    return int(found[-1]) if found else 0


def _root(path, frames) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    for _ in range(_ANCESTORS):
        if any(os.path.isfile(os.path.join(folder, frame['name'])) for frame in frames):
            return folder
        folder = os.path.dirname(folder)
    raise DataError('{}: none of its {} images is in a folder above it, such as {}: name their '
                    'folder with --images'.format(path, len(frames), frames[0]['name'] if frames
                                                  else 'none'))
