# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a model on a dataset, with the same call as the robot."""
import time
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.convert import convert_people
from pose_ros.core.frame import Frame
from pose_ros.core.people import People, people_in_boxes
from pose_ros.core.sources.images import read_image
from pose_training.errors import DataError
from pose_training.evaluation.labels import LabelledImage, Labels


class Detections(NamedTuple):
    """People with the dataset's keypoints in image pixels, by image id; best scores first."""

    labels: Labels
    people: Dict[int, People]
    seconds: List[float]  # per image, from pixels to people, without reading the file


def read_labelled(image: LabelledImage) -> np.ndarray:
    """Read (H, W, 3) uint8 BGR; DataError if the labels were made for another size."""
    pixels = read_image(image.path)
    size = pixels.shape[1::-1]
    if image.size not in (None, size):
        raise DataError('{} has {}x{} pixels, but was labelled at {}x{}; the labels do not fit '
                        'it'.format(image.path, *size, *image.size))
    return pixels


def detect(estimator: PoseEstimator, labels: Labels, progress: Callable = iter,
           in_boxes: bool = False) -> Detections:
    """Find the people of every image; `progress` wraps the list of images, as tqdm does.

    `in_boxes`: use the labelled boxes for a network of crops, instead of a detector's.

    Raises DataError or ImageError for an invalid image, PoseRosError if the model and the dataset
    share no keypoint.
    """
    found = Detections(labels, {}, [])
    labelled = labels.people()
    for image in progress(labels.images):
        pixels = read_labelled(image)
        boxes = people_in_boxes([person['bbox'] for person in labelled[image.id]],
                                estimator.topology) if in_boxes else None
        start = time.perf_counter()
        people = estimator.run([Frame(pixels)], [boxes])[0] if in_boxes else estimator(pixels)
        found.seconds.append(time.perf_counter() - start)
        people = convert_people(people, estimator.topology, labels.topology)
        found.people[image.id] = people.select(people.detected().any(1))
    return found


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
