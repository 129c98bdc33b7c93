# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write the people found as the result files of benchmarks: COCO, MPII, PoseTrack."""
import io
import os
from typing import Any, Dict, List

import numpy as np

from pose_ros.core.convert import convert_people
from pose_ros.core.command_files import check_outputs, open_output, write_json
from pose_ros.core.people import People, UNTRACKED
from pose_ros.core.topology import get_topology
from pose_training.evaluation.detections import coco_results, Detections

FORMATS = ('coco', 'mpii', 'posetrack')
_MPII = get_topology('mpii_16')


def write_results(detections: Detections, path: str, form: str) -> List[str]:
    """Write a result file of one of FORMATS; return the paths of what is written.

    coco: a JSON list of results, with the ids and keypoints of the dataset. mpii: a MATLAB file
    with the struct array `pred`. posetrack: a folder with one JSON file for each sequence.
    PoseRosError if the dataset shares no keypoint with MPII.
    """
    if form == 'posetrack':
        return _write_posetrack(detections, path)
    if form == 'mpii':
        _write_mpii(detections, path)
    else:
        ids = {image.id: image.entry.get('id', image.id) for image in detections.images}
        write_json(path, [dict(result, image_id=ids[result['image_id']],
                               category_id=detections.labels.own_category)
                          for result in coco_results(detections)])
    return [path]


def _write_mpii(detections, path) -> None:
    """Write `pred` as MPII asks for it: annorect.annopoints.point with x, y, id, score, from 1.

    The images are in MPII's order; each person in the place of its annorect, if it was found in
    a labelled box, else in the order of its score.
    """
    from scipy.io import savemat
    labels = detections.labels
    images = sorted(detections.images, key=lambda image: image.entry.get('mpii_image', 0))
    boxed = labels.boxed()
    pred = _structs(('image', 'annorect'), [
        (_structs(('name',), [(os.path.basename(image.path),)]), _annorects(
            convert_people(_found(detections, image), labels.topology, _MPII),
            boxed.get(image.id, ()) if detections.owned else ())) for image in images])
    content = io.BytesIO()
    savemat(content, {'pred': pred}, do_compression=True)
    with open_output(path) as stream:
        stream.write(content.getvalue())


def _annorects(people: People, annotations):
    places = [int(annotations[row].get('mpii_person', row + 1)) - 1 if annotations else place
              for place, row in enumerate(people.track_ids)]
    rects: List[Any] = [(np.zeros((0, 0)),)] * (max(places) + 1 if places else 0)
    for place, keypoints in zip(places, people.keypoints):
        points = [(float(x) + 1, float(y) + 1, float(number), float(score))
                  for number, (x, y, score) in enumerate(keypoints) if score > 0]
        if points:
            rects[place] = (_structs(('point',), [(_structs(('x', 'y', 'id', 'score'),
                                                            points),)]),)
    return _structs(('annopoints',), rects)


def _structs(names, rows):
    """Return a (1, N) struct array for savemat."""
    array = np.empty((1, len(rows)), [(name, object) for name in names])
    for place, row in enumerate(rows):
        array[0, place] = row
    return array


def _write_posetrack(detections, folder) -> List[str]:
    """Write a file for each sequence, with the images and people of PoseTrack 2018.

    With a tracker only people with an id are written, else the id is the place in the frame.
    """
    sequences: Dict[str, List] = {}
    for image in detections.images:
        if image.sequence:
            sequences.setdefault(image.sequence, []).append(image)
    tracked = any((people.track_ids != UNTRACKED).any() for people in
                  [*detections.people.values(), *detections.between.values()]) \
        and not detections.owned
    paths = [os.path.join(folder, os.path.basename(name) + '.json') for name in sequences]
    os.makedirs(folder, exist_ok=True)
    for path in paths:
        check_outputs({'--results': path}, [detections.labels.path])
    for path, images in zip(paths, sequences.values()):
        annotations = [entry for image in images for entry in _posetrack_people(
            _found(detections, image), image.entry['id'], tracked)]
        topology = detections.labels.topology
        write_json(path, {
            'images': [{'id': image.entry['id'], 'frame_id': image.entry['id'],
                        'is_labeled': image.labelled,
                        'file_name': image.entry.get('posetrack_name', image.entry['file_name'])}
                       for image in images],
            'annotations': annotations,
            'categories': [{'id': 1, 'name': 'person',
                            'keypoints': list(topology.keypoint_names)}]})
    return paths


def _posetrack_people(people: People, image_id, tracked):
    for place in range(people.count):
        number = int(people.track_ids[place]) if tracked else place
        if number == UNTRACKED:
            continue
        points = people.keypoints[place]
        there = points[:, 2] > 0
        rows = np.column_stack([np.where(there[:, None], points[:, :2], 0), there])
        yield {'image_id': image_id, 'category_id': 1, 'track_id': number,
               'keypoints': [round(float(value), 3) for value in rows.ravel()],
               'scores': [round(float(value), 5) for value in points[:, 2]]}


def _found(detections, image) -> People:
    """Return the people of an image, labelled or not; none of one that cannot be read."""
    for people in (detections.people, detections.between):
        if image.id in people:
            return people[image.id]
    some = next(iter({**detections.between, **detections.people}.values()))
    return some.select([])
