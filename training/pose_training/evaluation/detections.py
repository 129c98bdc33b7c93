# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a model on a dataset, with the same call as the robot."""
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple, Union

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.convert import convert_people
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.given_boxes import GivenBoxes
from pose_ros.core.people import People, people_in_boxes
from pose_training.data.images import read_labelled, tell_left_out
from pose_training.errors import DataError
from pose_training.evaluation.labels import LabelledImage, Labels


class Detections(NamedTuple):
    """People with the dataset's keypoints in image pixels, by image id; best scores first.

    `owned`: each was found in a labelled box, and its track id is the index of that label in
    Labels.boxed(). `between` are the people of frames without labels.
    """

    labels: Labels
    people: Dict[int, People]
    seconds: List[float]  # per image, from pixels to people, without reading the file
    owned: bool = False
    between: Dict[int, People] = {}
    images: Tuple[LabelledImage, ...] = ()  # of people and of between, in the order of the file


class Conditions(NamedTuple):
    """How people are looked for.

    `boxes`: 'truth' gives the labelled boxes to a network of crops instead of a detector's, a file
    of detection results its boxes; '' gives none. `fps`: frames per second of videos.
    """

    boxes: Union[str, GivenBoxes] = ''
    fps: float = 25.


def readable(labels: Labels, progress: Callable, faults: List[ImageError]
             ) -> Iterator[Tuple[LabelledImage, np.ndarray]]:
    """Yield the images and their pixels (H, W, 3) uint8 BGR; `progress` wraps their list.

    An error of an image that cannot be used is appended to `faults`.
    """
    for image in progress(labels.images):
        try:
            pixels = read_labelled(image.path, image.size, labels.max_pixels)
        except ImageError as error:
            faults.append(error)
            continue
        yield image, pixels


def checked(found: 'Detections', faults: List[ImageError]) -> 'Detections':
    """Return Detections without the labels of images that cannot be used; warn of these.

    Raises DataError if no image can be used.
    """
    labels = found.labels
    tell_left_out(labels.path, faults, len(labels.images))
    gone = {image.id for image in labels.images} - set(found.people) - set(found.between)
    return found._replace(labels=labels.without(gone)) if gone else found


def detect(estimator: PoseEstimator, labels: Labels, progress: Callable = iter,
           conditions: Conditions = Conditions()) -> Detections:
    """Find the people of every image; `progress` wraps the list of images, as tqdm does.

    The frames of a video come in their order, with its name as their source.

    Images that cannot be used are left out, with a warning. Raises DataError if none can,
    PoseRosError if the model and the dataset share no keypoint.
    """
    faults: List[ImageError] = []
    tracked = any(stage.name == 'tracking' for stage in getattr(estimator, 'stages', ()))
    found = Detections(labels, {}, [], conditions.boxes == 'truth' and not tracked, {},
                       tuple(labels.images))
    boxed, used = labels.boxed(), getattr(conditions.boxes, 'used', 0)
    in_order = labels._replace(images=_in_order(labels.images))
    for image, pixels in readable(in_order, progress, faults):
        given = _given(conditions.boxes, image, boxed[image.id], estimator)
        start = time.perf_counter()
        people = estimator(_frame(image, pixels, conditions.fps)) if given is None \
            else estimator.run([_frame(image, pixels, conditions.fps)], [given])[0]
        found.seconds.append(time.perf_counter() - start)
        people = convert_people(people, estimator.topology, labels.topology)
        place = found.people if image.labelled else found.between
        place[image.id] = people.select(people.detected().any(1))
    if isinstance(conditions.boxes, GivenBoxes) and conditions.boxes.used == used:
        raise DataError('there are given boxes for none of the images of {}: their image_id must '
                        'be the ids in it'.format(labels.path))
    found = checked(found, faults)
    between = [image.id for image in labels.images if not image.labelled]
    return found._replace(labels=found.labels.without(between, True)) if between else found


def _in_order(images):
    """Return the images with the frames of each video together, in the order of their numbers."""
    first = {image.sequence: place for place, image in reversed(list(enumerate(images)))}
    return sorted(images, key=lambda image: (first[image.sequence], image.frame)
                  if image.sequence else (first[''], 0))


def _frame(image, pixels, fps) -> Frame:
    if not image.sequence:
        return Frame(pixels)
    return Frame(pixels, image.frame / fps, image.sequence)


def _given(boxes, image, annotations, estimator):
    """Return the people whose boxes a network of crops gets, None to let it find them."""
    if isinstance(boxes, GivenBoxes):
        return boxes.of(image.entry.get('id', image.id), estimator.topology)
    if not boxes:
        return None
    people = people_in_boxes([person['bbox'] for person in annotations], estimator.topology)
    return people._replace(track_ids=np.arange(people.count, dtype=np.int32))


def coco_results(detections: Detections) -> List[Dict[str, Any]]:
    """Return the list that COCO's evaluation reads; a missing keypoint is 0, 0, 0."""
    results = []
    for image_id, people in detections.people.items():
        points = np.where(people.detected()[..., None], people.keypoints, 0)
        results += [{'image_id': image_id, 'category_id': detections.labels.category,
                     'score': float(score),
                     'keypoints': [float(value) for value in keypoints.ravel()]}
                    for keypoints, score in zip(points, people.scores)]
    return results
