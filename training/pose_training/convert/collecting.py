# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What every converter collects and writes: a COCO keypoint file, and a report."""
import collections
import os
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import count
from pose_ros.core.files import file_id
from pose_ros.core.image_file import write_image
from pose_ros.core.image_size import image_size
from pose_ros.core.reading import LARGEST_IMAGE, open_regular, read_stream
from pose_ros.core.topology import Topology
from pose_training.convert.checking import draw_samples
from pose_training.errors import ConfigError, DataError

_HEAD = 1 << 18  # bytes of an image in which its size stands, if they are enough
_SHARE_OF_BOX = .53  # a person covers about this share of the box, as COCO's outlines do
_DIGITS = 3


def add_output_options(parser) -> None:
    """Add the options of every converter."""
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='the COCO keypoint file to write (JSON)')
    parser.add_argument('--check', metavar='IMAGE',
                        help='also draw some of the labels into this image file; look at it')
    parser.add_argument('--samples', type=count, default=12, metavar='N',
                        help='how many --check draws (default: %(default)s)')


def check_converter(options, inputs: Sequence[str]) -> None:
    """Check the outputs of a converter against the files that it reads."""
    check_outputs({'-o': options.output, '--check': options.check}, inputs, ['-o'])


class Collection:
    """The images and annotations of a dataset, and how many were left out, by reason.

    File names become relative to the folder of `output`. Coordinates are pixels with centers of
    pixels at whole numbers.
    """

    def __init__(self, output: str, topology: Topology, category: str = 'person',
                 info: Optional[Dict[str, Any]] = None):
        self._folder = os.path.dirname(os.path.abspath(output))
        self._topology, self._category, self._info = topology, category, dict(info or {})
        self.images: List[Dict[str, Any]] = []
        self.annotations: List[Dict[str, Any]] = []
        self.paths: Dict[Any, str] = {}
        self.left_out: Dict[str, int] = collections.Counter()
        self._examples: Dict[str, str] = {}

    def leave_out(self, reason: str, example: str) -> None:
        """Count something that is not converted."""
        self.left_out[reason] += 1
        self._examples.setdefault(reason, example)

    def add_image(self, path: str, number=None, **more) -> Optional[Dict[str, Any]]:
        """Add an image file, and return its entry; None, and counted, if it cannot be used.

        `number` is its id (default: the next one); `more` are further keys of the entry.
        """
        if not os.path.isfile(path):
            self.leave_out('images that are not there', path)
            return None
        size = size_of_file(path)
        if size is None:
            self.leave_out('images that cannot be read', path)
            return None
        number = len(self.images) + 1 if number is None else number
        if number in self.paths:
            raise DataError('two images have the id {}: {} and {}'.format(
                number, self.paths[number], path))
        entry = {'id': number, 'file_name': os.path.relpath(path, self._folder),
                 'width': size[0], 'height': size[1], **more}
        self.images.append(entry)
        self.paths[number] = path
        return entry

    def add_person(self, image: Dict[str, Any], keypoints: np.ndarray, box=None, **more) -> None:
        """Add an annotation: (K, 3) x, y [px] and 0, 1 or 2; `box` left, top, width, height [px].

        Without a box it is that of the keypoints, enlarged by a tenth on each side. Boxes are cut
        at the edges of the image.
        """
        keypoints = np.array(keypoints, float).reshape(-1, 3)
        keypoints[~(keypoints[:, 2] > 0)] = 0
        if box is None:
            box = grown_bounds(keypoints, .1)
        low = np.clip(box[:2], 0, (image['width'], image['height']))
        high = np.clip(np.add(box[:2], box[2:]), 0, (image['width'], image['height']))
        sides = np.maximum(high - low, 0)
        self.annotations.append({
            'id': len(self.annotations) + 1, 'image_id': image['id'], 'category_id': 1,
            'iscrowd': 0, 'keypoints': _rounded(keypoints.ravel()),
            'num_keypoints': int((keypoints[:, 2] > 0).sum()), 'bbox': _rounded([*low, *sides]),
            'area': round(float(_SHARE_OF_BOX * sides[0] * sides[1]), 1), **more})

    def add_region(self, image: Dict[str, Any], outline: Sequence[float]) -> None:
        """Add a region to ignore: a polygon x, y, x, y, ... [px], as an annotation of a crowd."""
        points = np.asarray(outline, float).reshape(-1, 2)
        low, high = points.min(0), points.max(0)
        self.annotations.append({
            'id': len(self.annotations) + 1, 'image_id': image['id'], 'category_id': 1,
            'iscrowd': 1, 'keypoints': [0] * 3 * self._topology.size, 'num_keypoints': 0,
            'segmentation': [_rounded(points.ravel())],
            'bbox': _rounded([*low, *(high - low)]),
            'area': round(float(np.prod(high - low)), 1)})

    def data(self) -> Dict[str, Any]:
        """Return the keypoint file; DataError if it has no images."""
        if not self.images:
            raise DataError('there is nothing to convert: {}'.format(
                '; '.join(self.reasons()) or 'no images'))
        topology = self._topology
        return {'info': self._info, 'images': self.images, 'annotations': self.annotations,
                'categories': [{
                    'id': 1, 'name': self._category, 'keypoints': list(topology.keypoint_names),
                    'skeleton': [[a + 1, b + 1] for a, b in topology.limbs]}]}

    def reasons(self) -> List[str]:
        """Return a line for each reason to leave something out."""
        return ['{} {}, such as {}'.format(number, reason, self._examples[reason])
                for reason, number in self.left_out.items()]


def finish(collection: Collection, options, topology: Topology) -> int:
    """Write the file and the drawing of --check, report, and return the exit code."""
    data = collection.data()
    if options.check and os.path.exists(options.check) and file_id(options.check) in {
            file_id(path) for path in collection.paths.values()}:
        raise ConfigError('--check {} is an image of the dataset; choose another path'.format(
            options.check))
    drawn = draw_samples(collection.annotations, collection.paths, topology, options.samples) \
        if options.check else None
    write_json(options.output, data)
    text = report_stream(options.output)
    people = sum(annotation['num_keypoints'] > 0 for annotation in collection.annotations)
    others = len(collection.annotations) - people
    print('wrote {}: {} images, {} with keypoints{}'.format(
        options.output, len(collection.images),
        '{} {}'.format(people, _plural(data['categories'][0]['name'], people)),
        ', {} regions and people without keypoints'.format(others) if others else ''), file=text)
    for line in collection.reasons():
        print('left out: ' + line, file=text)
    if drawn is not None:
        write_image(options.check, drawn)
        print('wrote {}: look whether the keypoints are right'.format(options.check), file=text)
    return 0


def size_of_file(path: str) -> Optional[Tuple[int, int]]:
    """Return (width, height) [px] of an image file as it is stored; None if it has none."""
    try:
        with open_regular(path, LARGEST_IMAGE) as stream:
            size = image_size(stream.read(_HEAD))
            if size is None:
                stream.seek(0)
                size = image_size(read_stream(stream, LARGEST_IMAGE, path))
            return size
    except OSError:
        return None


def grown_bounds(keypoints: np.ndarray, share: float) -> List[float]:
    """Return the bounds of the labelled keypoints (K, 3), enlarged by a share on each side."""
    points = np.asarray(keypoints)[:, :2][np.asarray(keypoints)[:, 2] > 0]
    if not len(points):
        return [0., 0., 0., 0.]
    low, high = points.min(0) - .5, points.max(0) + .5
    more = share * (high - low)
    return [*(low - more), *(high - low + 2 * more)]


def _plural(name, number):
    return {'person': 'person' if number == 1 else 'people'}.get(
        name, name if number == 1 else name + 's')


def _rounded(values):
    return [round(float(value), _DIGITS) for value in values]
