# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw labels and found people of the worst images."""
import os
import re
from typing import List, NamedTuple

import cv2
import numpy as np

from pose_ros.core.draw import draw_people
from pose_ros.core.files import file_id
from pose_ros.core.image_file import write_image
from pose_ros.core.people import make_people
from pose_ros.core.topology import Topology
from pose_training.data.images import read_labelled
from pose_training.data.panels import zoomed
from pose_training.errors import DataError
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.labels import LabelledImage
from pose_training.evaluation.matching import labelled_keypoints, match

_LEAST_SIDE = 640  # px; smaller images are enlarged, so that lines do not cover the people
_OWN_NAME = re.compile(r'\d{3}_(oks|empty)_\d\.\d\d_.*\.jpg')


class Failure(NamedTuple):
    """An image and its fault.

    `kind` is 'oks' with the mean similarity of its labelled people to those found (0 for a missed
    person), or 'empty' with the highest score of a person found in an image without people.
    """

    image: LabelledImage
    kind: str
    value: float


class _Painted(Topology):
    """A topology in three shades of one color: left side, right side, and others."""

    shades = ((0, 0, 0),) * 3

    def limb_colors(self):
        """Return a BGR color per limb: that of its end."""
        colors = self.keypoint_colors()
        return tuple(colors[child] for _, child in self.limbs)

    def keypoint_colors(self):
        """Return a BGR color per keypoint."""
        left, right, axis = self.shades
        return tuple(left if name.startswith('left_') else right if name.startswith('right_')
                     else axis for name in self.keypoint_names)


class _Labelled(_Painted):
    shades = ((150, 255, 150), (0, 130, 0), (60, 210, 60))


class _Found(_Painted):
    shades = ((190, 150, 255), (0, 0, 190), (90, 60, 255))


_LEGEND = 'labels green, found red; left light, right dark'


def worst_images(detections: Detections, count: int) -> List[Failure]:
    """Return up to `count` images with labelled people, worst first, and as many without people.

    Images without a fault are left out: with an OKS of 1, or, without people, with none found.
    """
    labels = detections.labels
    by_id = {image.id: image for image in labels.images}
    wrong = []
    for image_id, annotations in labels.people().items():
        if annotations:
            pairs = match(annotations, detections.people[image_id], labels.topology)
            wrong.append(Failure(by_id[image_id], 'oks', float(np.mean([p.oks for p in pairs]))))
    extra = [Failure(by_id[image_id], 'empty', float(detections.people[image_id].scores.max()))
             for image_id in labels.empty_images() if detections.people[image_id].count]
    wrong = sorted((failure for failure in wrong if failure.value < .995), key=lambda f: f.value)
    return wrong[:count] + sorted(extra, key=lambda failure: -failure.value)[:count]


def write_failures(detections: Detections, folder: str, count: int) -> List[str]:
    """Draw the worst images into a folder, in place of those of an earlier run; return the paths.

    The names are 001_oks_0.12_NAME.jpg and 001_empty_0.87_NAME.jpg, worst first.
    """
    os.makedirs(folder, exist_ok=True)
    inputs = {file_id(image.path) for image in detections.labels.images}
    earlier = [os.path.join(folder, name) for name in os.listdir(folder)
               if _OWN_NAME.fullmatch(name)]
    for path in earlier:
        if file_id(path) in inputs:
            raise DataError('{} is an image of the dataset; name another folder for the '
                            'failures'.format(path))
    for path in earlier:
        os.remove(path)
    paths, numbers = [], {'oks': 0, 'empty': 0}
    for failure in worst_images(detections, count):
        numbers[failure.kind] += 1
        stem = os.path.splitext(os.path.basename(failure.image.path))[0]
        path = os.path.join(folder, '{:03d}_{}_{:.2f}_{}.jpg'.format(
            numbers[failure.kind], failure.kind, failure.value, stem))
        write_image(path, draw_failure(detections, failure), follow_links=False)
        paths.append(path)
    return paths


def draw_failure(detections: Detections, failure: Failure) -> np.ndarray:
    """Draw labels and found people; a strip below explains the colors and the figure."""
    image = read_labelled(failure.image.path, failure.image.size,
                          detections.labels.max_pixels)
    zoom = max(1., _LEAST_SIDE / max(image.shape[:2]))
    if zoom > 1:
        image = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    labels = detections.labels
    annotations = labels.people()[failure.image.id]
    truth = np.array([labelled_keypoints(annotation) for annotation in annotations]).reshape(
        -1, labels.topology.size, 3)
    draw_people(image, zoomed(make_people(truth, np.ones(len(truth))), zoom),
                _Labelled(*labels.topology), labels=False)
    people = detections.people[failure.image.id]
    draw_people(image, zoomed(people, zoom), _Found(*labels.topology))
    return np.concatenate([image, _caption(failure, image.shape[1])])


def _caption(failure, width):
    if failure.kind == 'oks':
        text = 'mean OKS {:.2f}; {}'.format(failure.value, _LEGEND)
    else:
        text = 'no person is labelled; one was found with score {:.2f}'.format(failure.value)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, .5
    (length, height), below = cv2.getTextSize(text, font, scale, 1)
    scale *= min(1., (width - 8) / length)
    strip = np.zeros((height + below + 8, width, 3), np.uint8)
    cv2.putText(strip, text, (4, height + 4), font, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return strip
