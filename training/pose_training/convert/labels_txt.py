# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""labels.txt of convolutional-pose-machines-tensorflow to a COCO keypoint file.

One line per image: its name, two corners of a box, then the keypoints, two numbers each. The
README of that project says y before x; its script reads x before y, an unused pair after the box,
the wrist, then the fingers from tip to palm. Hence the order is an option.
"""
import glob
import math
import os
import re
from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from pose_ros.core.files import natural_key
from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_training.convert.collecting import (add_output_options, check_converter, Collection,
                                              finish)
from pose_training.errors import ConfigError, DataError
from pose_training.families.topologies import find_topology

DESCRIPTION = ('labels.txt of convolutional pose machines: a box and keypoints per image, in any '
               'order. Keypoints outside their image are not labelled.')
EPILOG = """examples:
  pose-train convert labels-txt dataset -o hands.json --check look.png
      dataset/person_*/labels.txt, images in dataset/person_*/imgs: y before x, order of hand_21
  pose-train convert labels-txt dataset -o hands.json --check look.png --coordinates xy --skip 1 \\
    --order 0,4,3,2,1,8,7,6,5,12,11,10,9,16,15,14,13,20,19,18,17
      the lines that create_cpm_tfr_fulljoints.py reads: wrist, then each finger from its tip
  pose-train convert labels-txt people -o people.json --topology cpm_14 --offset -1
"""
_NAME = 'labels.txt'
_LONGEST_LINE = 1 << 16  # characters


class Line(NamedTuple):
    """A line of labels: the name of the image, a box (4,) and pairs (N, 2) as they stand there."""

    name: str
    box: np.ndarray
    pairs: np.ndarray


def add_arguments(parser) -> None:
    """Add the options of this kind."""
    parser.add_argument('folder', metavar='FOLDER',
                        help='folder with labels.txt, or with folders that have one')
    parser.add_argument('--images', default='imgs', metavar='NAME',
                        help='folder of the images beside labels.txt (default: %(default)s)')
    parser.add_argument('--topology', default='hand_21', metavar='NAME',
                        help='keypoints to write: a name, or a file (default: %(default)s)')
    parser.add_argument('--coordinates', choices=('yx', 'xy'), default='yx',
                        help='order of the two numbers of a point (default: %(default)s)')
    parser.add_argument('--skip', type=int, default=0, metavar='N',
                        help='pairs between the box and the keypoints (default: %(default)s)')
    parser.add_argument('--order', metavar='N,N,...',
                        help='for each keypoint of the topology its pair, counted from 0 after '
                             '--skip; -1 for none (default: 0,1,2,...)')
    parser.add_argument('--offset', type=float, default=0., metavar='PX',
                        help='added to all coordinates: -1 if the first pixel is 1 (default: 0)')
    add_output_options(parser)


def run(options) -> int:
    """Convert; return the exit code."""
    topology = find_topology(options.topology)
    order = parse_order(options.order, topology.size)
    if options.skip < 0 or not math.isfinite(options.offset):
        raise ConfigError('--skip is 0 or more, and --offset a number')
    files = _files(options.folder)
    check_converter(options, files)
    collection = Collection(options.output, topology,
                            'hand' if topology.name == 'hand_21' else 'person',
                            {'description': 'labels.txt of ' + options.folder})
    for path in files:
        folder = os.path.join(os.path.dirname(path), options.images)
        for line in read_lines(path, options.skip + max(order) + 1):
            image = collection.add_image(os.path.join(folder, line.name))
            if image is not None:
                _add(collection, image, line, order, options)
    return finish(collection, options, topology)


def parse_order(text, size: int) -> Tuple[int, ...]:
    """Return the pair of each of `size` keypoints; ConfigError for another number of them."""
    if not text:
        return tuple(range(size))
    try:
        order = tuple(int(number) for number in text.split(','))
    except ValueError as error:
        raise ConfigError('--order {!r} is not a list of whole numbers, such as '
                          '0,4,3,2,1'.format(text[:80])) from error
    used = [place for place in order if place >= 0]
    if len(order) != size or min(order) < -1 or max(order) > 1000 \
            or not used or len(set(used)) < len(used):
        raise ConfigError('--order needs {} different numbers from 0 to 1000, one per keypoint '
                          '(-1 for a keypoint without a pair), not {}'.format(size, text[:80]))
    return order


def read_lines(path: str, pairs: int) -> Iterator[Line]:
    """Yield the lines of a file, which have at least this number of pairs after the box.

    DataError names the file and the line that is something else.
    """
    try:
        text = read_file(path, LARGEST_LABELS).decode('utf-8-sig')
    except (OSError, ValueError) as error:
        raise DataError('cannot read {}: {}'.format(path, error)) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _line(line, pairs, '{}, line {}'.format(path, number))


def _line(line, pairs, where) -> Line:
    words = line.split() if len(line) <= _LONGEST_LINE else []
    try:
        numbers = np.array([float(word) for word in words[1:]])
    except ValueError as error:
        raise DataError('{}: {}'.format(where, str(error)[:80])) from error
    if len(numbers) < 4 + 2 * pairs or len(numbers) % 2 or not np.isfinite(numbers[:4]).all():
        raise DataError('{} has {} numbers after the name; expected four of a box, then at least '
                        '{} pairs (see --order and --skip)'.format(where, len(numbers), pairs))
    return Line(words[0], numbers[:4], numbers[4:].reshape(-1, 2))


def _add(collection, image, line, order, options):
    chosen = np.array(order)
    points = line.pairs[options.skip:][chosen.clip(0)]
    corners = line.box.reshape(2, 2)
    if options.coordinates == 'yx':
        points, corners = points[:, ::-1], corners[:, ::-1]
    points, corners = points + options.offset, corners + options.offset
    size = np.array([image['width'], image['height']])
    inside = ((points > -.5) & (points < size - .5)).all(1) & (chosen >= 0)  # False for NaN
    if not inside.any():
        collection.leave_out('labels outside their image', image['file_name'])
        return
    low, high = corners.min(0), corners.max(0)
    points = np.where(inside[:, None], points, 0)
    collection.add_person(image, np.column_stack([points, 2 * inside]), [*low, *(high - low)])


def _files(folder: str) -> List[str]:
    found: Sequence[str] = [os.path.join(folder, _NAME)]
    if not os.path.isfile(found[0]):
        found = sorted(glob.glob(os.path.join(glob.escape(folder), '*', _NAME)), key=natural_key)
    if not found:
        raise DataError('there is no {0}/{1} and no {0}/*/{1}'.format(
            re.sub('/+$', '', folder), _NAME))
    return list(found)
