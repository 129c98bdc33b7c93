# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a model on a dataset, with the same call as the robot."""
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.convert import convert_people
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.people import People, people_in_boxes
from pose_training.data.images import read_labelled, tell_left_out
from pose_training.evaluation.labels import LabelledImage, Labels


class Detections(NamedTuple):
    """People with the dataset's keypoints in image pixels, by image id; best scores first."""

    labels: Labels
    people: Dict[int, People]
    seconds: List[float]  # per image, from pixels to people, without reading the file


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
    gone = {image.id for image in labels.images} - set(found.people)
    return found._replace(labels=labels.without(gone)) if gone else found


def detect(estimator: PoseEstimator, labels: Labels, progress: Callable = iter,
           in_boxes: bool = False) -> Detections:
    """Find the people of every image; `progress` wraps the list of images, as tqdm does.

    `in_boxes`: use the labelled boxes for a network of crops, instead of a detector's.

    Images that cannot be used are left out, with a warning. Raises DataError if none can,
    PoseRosError if the model and the dataset share no keypoint.
    """
    faults: List[ImageError] = []
    found = Detections(labels, {}, [])
    labelled = labels.people()
    for image, pixels in readable(labels, progress, faults):
        boxes = people_in_boxes([person['bbox'] for person in labelled[image.id]],
                                estimator.topology) if in_boxes else None
        start = time.perf_counter()
        people = estimator.run([Frame(pixels)], [boxes])[0] if in_boxes else estimator(pixels)
        found.seconds.append(time.perf_counter() - start)
        people = convert_people(people, estimator.topology, labels.topology)
        found.people[image.id] = people.select(people.detected().any(1))
    return checked(found, faults)


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
