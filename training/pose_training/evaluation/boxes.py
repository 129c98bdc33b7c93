# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a detector of people: COCO's AP and AR of boxes."""
import time
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from pose_ros.core.card import ModelCard
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network, open_network
from pose_ros.core.people import people_in_boxes
from pose_ros.core.regions import whole
from pose_training.evaluation.detections import checked, Detections, readable
from pose_training.evaluation.labels import Labels
from pose_training.evaluation.metrics import coco_figures

AP_NAMES = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR1', 'AR10', 'AR',
            'AR_small', 'AR_medium', 'AR_large')
_LEAST_SCORE = .01  # of the boxes for AP


class BoxFinder:
    """A detector with the attributes of an estimator that an evaluation uses.

    AP takes boxes of all scores; counts take those above the setting `min_score`.
    """

    def __init__(self, model: str, backend: str = 'auto', card=None, input_size=None,
                 settings: Optional[Dict[str, Any]] = None, **engine):
        self.network: Network = open_network(model, 'detector', backend, card, input_size,
                                             **engine)
        decoder = self.network.decoder
        decoder.configure(**settings or {})
        self.min_score = decoder.settings['min_score']
        decoder.configure(min_score=_LEAST_SCORE)

    @property
    def card(self) -> ModelCard:
        """Return the card of the detector."""
        return self.network.card

    @property
    def settings(self) -> Dict[str, Any]:
        """Return the settings, with the threshold of the counts."""
        return {'detector.' + name: value for name, value in dict(
            self.network.decoder.settings, min_score=self.min_score).items()}

    def find(self, pixels: np.ndarray):
        """Return boxes (P, 4) left, top, width, height [px] and scores (P,) of an image."""
        frame = Frame(pixels)
        [(found, transform)] = self.network.find([frame], [whole(0, *frame.size)])
        return transform.boxes_to_image(found.boxes), found.scores

    def close(self) -> None:
        """Free the engine."""
        self.network.close()


def find_boxes(finder: BoxFinder, labels: Labels, progress: Callable = iter) -> Detections:
    """Find the boxes of every image; `progress` wraps the list of images.

    Images that cannot be used are left out, with a warning. Raises DataError if none can.
    """
    faults: List[ImageError] = []
    found = Detections(labels, {}, [])
    for image, pixels in readable(labels, progress, faults):
        start = time.perf_counter()
        boxes, scores = finder.find(pixels)
        found.seconds.append(time.perf_counter() - start)
        found.people[image.id] = people_in_boxes(boxes, labels.topology, scores)
    return checked(found, faults)


def box_figures(found: Detections, min_score: float) -> Dict[str, Any]:
    """Return COCO's twelve figures of boxes, counts above `min_score`, and times.

    Figures without anything to measure are None.
    """
    labels = found.labels
    results = [{'image_id': image_id, 'category_id': labels.category, 'score': float(score),
                'bbox': [float(value) for value in box]}
               for image_id, people in found.people.items()
               for box, score in zip(people.boxes, people.scores)]
    sure = {image_id: int((people.scores >= min_score).sum())
            for image_id, people in found.people.items()}
    empty = labels.empty_images()
    clean = sum(sure[image_id] == 0 for image_id in empty)
    median, slow = 1e3 * np.percentile(found.seconds, (50, 90))
    people = sum(not annotation['iscrowd'] for annotation in labels.annotations)
    return dict(coco_figures(labels, results, 'bbox', AP_NAMES), images=len(labels.images),
                images_left_out=labels.left_out,
                labelled_people=people, found_people=sum(sure.values()),
                empty_images=len(empty),
                empty_images_clean=clean / len(empty) if empty else None,
                milliseconds_median=float(median), milliseconds_p90=float(slow))
