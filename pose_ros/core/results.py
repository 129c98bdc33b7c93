# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Result files: people as JSON, as CSV, and in COCO's result format."""
import abc
import contextlib
import csv
import io
import json
import os
import re
from typing import Optional

import numpy as np

from pose_ros.core.coco_ids import CocoIds, PERSON
from pose_ros.core.command_files import is_stdout, open_output
from pose_ros.core.convert import convert_people
from pose_ros.core.errors import cannot_write, PoseRosError
from pose_ros.core.people import People
from pose_ros.core.sources.images import IMAGE_EXTENSIONS
from pose_ros.core.topology import get_topology, Topology

FORMS = ('json', 'csv', 'coco')
BODY = 'body'
_PART_FORMATS = {'left_hand': 'hand_21', 'right_hand': 'hand_21', 'face': 'face_70'}


class ResultFile(abc.ABC):
    """Writes the people of frames to one text file.

    A context manager: it writes to a temporary file, which replaces `path` at the end and is
    deleted after an error; '-' is stdout. Only the text of one frame is in memory. OutputError if
    the file cannot be written.
    """

    def __init__(self, path: str, head: str, tail: str):
        """Open the temporary file."""
        self._path = 'stdout' if is_stdout(path) else path
        self._file, self._failed = contextlib.ExitStack(), False
        try:
            self._stream = self._file.enter_context(open_output(path))
        except OSError as error:
            raise cannot_write(path, error)
        self._write(head)
        self._tail = tail

    def add(self, frame, people: People) -> None:
        """Write the people of one Frame (its size, index, time_s, name and source are used)."""
        self._write(self.text(frame, people))

    def _write(self, text):
        try:
            self._stream.write(text.encode('utf-8'))
        except OSError as error:
            self._failed = True
            with self._file:  # deletes the temporary file
                raise cannot_write(self._path, error)

    @abc.abstractmethod
    def text(self, frame, people: People) -> str:
        """Return what is written of one frame."""

    def __enter__(self):
        """Return the file itself."""
        return self

    def __exit__(self, kind, error, trace):
        """Finish the file, or delete it after an error."""
        if kind is None and not self._failed:
            self._write(self._tail)
        try:
            self._file.__exit__(kind, error, trace)
        except OSError as failure:
            raise cannot_write(self._path, failure)


class JsonResults(ResultFile):
    """Writes a list of records in JSON."""

    _separator = '\n'

    def text(self, frame, people):
        """See ResultFile.text."""
        text = ''
        for record in self.records(frame, people):
            text += self._separator + json.dumps(record, allow_nan=False)
            self._separator = ',\n'
        return text

    @abc.abstractmethod
    def records(self, frame, people: People) -> list:
        """Return the records of one frame, ready for JSON."""


class FrameResults(JsonResults):
    """One record per frame, in the model's own skeleton format.

    {"topology": {"name", "keypoint_names", "limbs"}, "model": name, "frames": [{"index", "name",
    "time_s", "width", "height", "people": [{"track_id", "score", "bbox", "keypoints"}]}]}.
    Coordinates are pixels with pixel centers at integers. `bbox` is x, y, width, height;
    `keypoints` holds [x, y, score] or null per keypoint; so do `left_hand`, `right_hand` (hand_21)
    and `face` (face_70) where the pipeline has networks for them. For frames with depth,
    `positions` (and `left_hand_positions`, ...) holds [x, y, z] in meters or null per keypoint.
    `time_s` is null for still images, `track_id` is -1 without tracking. Frames of several cameras
    have a `source`.
    """

    def __init__(self, path: str, topology: Topology, model: str):
        """Open the file for people of `topology`, found by the model with this name."""
        head = {'topology': {'name': topology.name, 'keypoint_names': topology.keypoint_names,
                             'limbs': topology.limbs}, 'model': model}
        super(FrameResults, self).__init__(path, json.dumps(head)[:-1] + ', "frames": [', '\n]}\n')

    def records(self, frame, people):
        """See JsonResults.records."""
        width, height = frame.size
        fields = zip(people.keypoints, people.scores, people.track_ids, people.boxes)
        records = [{'track_id': int(track_id), 'score': _number(score, 4), 'bbox': _box(box),
                    'keypoints': [_keypoint(keypoint) for keypoint in keypoints]}
                   for keypoints, score, track_id, box in fields]
        if frame.depth is not None:
            for record, positions in zip(records, people.positions):
                record['positions'] = [_position(position) for position in positions]
        for name, parts in people.parts.items():
            for record, part in zip(records, parts):
                record[name] = [_keypoint(keypoint) for keypoint in part]
        for name, places in people.part_positions.items():
            for record, positions in zip(records, places):
                record[name + '_positions'] = [_position(position) for position in positions]
        source = {'source': frame.source} if frame.source else {}
        return [dict({'index': frame.index, 'name': frame.name,
                      'time_s': _number(frame.time_s, 6), 'width': width, 'height': height},
                     people=records, **source)]


class CocoResults(JsonResults):
    """COCO's keypoint results: a list with one record per person, COCO-17 keypoints.

    {"image_id", "category_id": 1, "keypoints": [x, y, score] * 17, "score"}; a missing keypoint is
    0, 0, 0. Pixel centers are at integers: COCO's keypoint labels are indices of pixels.
    `image_id` and `category_id` are those of the annotation file `ids`; without one image_id is
    image_id_of(name, index).
    """

    def __init__(self, path: str, topology: Topology, ids: Optional[CocoIds] = None):
        """Open the file for people of any `topology`."""
        super(CocoResults, self).__init__(path, '[', '\n]\n')
        self._ids, self._person = ids, ids.person if ids else PERSON
        self._source, self._target = topology, get_topology('coco_17')
        self._written = set()

    def records(self, frame, people):
        """See JsonResults.records; PoseRosError if the image_id was that of an earlier image."""
        image_id = self._ids.find(frame.name) if self._ids else image_id_of(
            frame.name, frame.index)
        if image_id in self._written:
            raise PoseRosError('{}: an earlier image has the same COCO image_id {}, so their '
                               'people would be mixed; name the annotation file, rename one of '
                               'them, or write the form frames'.format(frame.name, image_id))
        self._written.add(image_id)
        people = convert_people(people, self._source, self._target)
        people = people.select(people.detected().any(1))
        points = people.keypoints.copy()
        points[~(people.detected() & np.isfinite(points).all(-1))] = 0
        return [{'image_id': image_id, 'category_id': self._person, 'score': _number(score, 5),
                 'keypoints': [_number(value, 3) for value in keypoints.ravel()]}
                for keypoints, score in zip(points, people.scores)]


class CsvResults(ResultFile):
    """One row per keypoint that was found, with the facts of its frame and person.

    Columns: COLUMNS. `person` counts the people of a frame from 0, `part` is body, left_hand,
    right_hand or face, `keypoint` its name. x_m, y_m, z_m are its position in meters, empty
    where unknown. A frame without people has no row.
    """

    COLUMNS = ('index', 'name', 'source', 'time_s', 'person', 'track_id', 'person_score', 'part',
               'keypoint', 'x', 'y', 'score', 'x_m', 'y_m', 'z_m')

    def __init__(self, path: str, topology: Topology):
        """Open the file for people of `topology`."""
        super(CsvResults, self).__init__(path, ','.join(self.COLUMNS) + '\n', '')
        self._names = {part: get_topology(name).keypoint_names
                       for part, name in _PART_FORMATS.items()}
        self._names[BODY] = topology.keypoint_names

    def text(self, frame, people):
        """See ResultFile.text."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator='\n')
        head = [frame.index, frame.name, frame.source, _number(frame.time_s, 6)]
        for person in range(people.count):
            facts = head + [person, people.track_ids[person], _number(people.scores[person], 4)]
            rows.writerows(self._rows(facts, BODY, people.keypoints[person],
                                      people.positions[person]))
            for part, keypoints in people.parts.items():
                places = people.part_positions.get(part)
                rows.writerows(self._rows(facts, part, keypoints[person],
                                          None if places is None else places[person]))
        return text.getvalue()

    def _rows(self, facts, part, keypoints, positions):
        for index, values in enumerate(keypoints):
            keypoint = _keypoint(values)
            if keypoint:
                position = positions is not None and _position(positions[index])
                yield facts + [part, self._names[part][index]] + keypoint + (position or [''] * 3)


def image_id_of(name: str, index: int) -> int:
    """Return the last number in a file name (COCO_val2014_000000000192.jpg: 192), else `index`."""
    stem, ending = os.path.splitext(os.path.basename(name))
    numbers = re.findall(r'\d+', stem if ending.lower() in IMAGE_EXTENSIONS else stem + ending)
    return int(numbers[-1]) if numbers else index


def open_results(path: str, form: str, topology: Topology, model: str,
                 ids: Optional[CocoIds] = None) -> ResultFile:
    """Open a result file of one of FORMS; PoseRosError if it cannot be written.

    `ids`: of the annotation file to which results of the form coco refer.
    """
    if form == 'coco':
        return CocoResults(path, topology, ids)
    if form == 'csv':
        return CsvResults(path, topology)
    if form == 'json':
        return FrameResults(path, topology, model)
    raise PoseRosError('unknown form of results {!r}; known: {}'.format(form, ', '.join(FORMS)))


def _box(box) -> Optional[list]:
    return [_number(value, 2) for value in box] if np.isfinite(box).all() else None


def _keypoint(keypoint) -> Optional[list]:
    x, y, score = keypoint.tolist()
    if not (score > 0 and np.isfinite([x, y]).all()):
        return None
    return [_number(x, 3), _number(y, 3), _number(score, 4)]


def _position(position) -> Optional[list]:
    return [_number(value, 4) for value in position] if np.isfinite(position).all() else None


def _number(value, digits):
    """Round for JSON; NaN and infinity, which JSON lacks, become null."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
