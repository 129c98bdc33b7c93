# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and faces of the people that were found, each by a network of its own."""
from typing import List, NamedTuple, Optional

import numpy as np

from pose_ros.core.errors import CardError
from pose_ros.core.network import Network
from pose_ros.core.parameters import Parameter
from pose_ros.core.part_regions import (FACE, face_place, found_points, hand_place, HANDS, Place)
from pose_ros.core.regions import Region
from pose_ros.core.stages.stage import Stage
from pose_ros.core.topology import Topology

PARTS_PARAMETERS = (
    Parameter('max_people', 6, 'Hands and faces of this many people per frame at most, the '
              'largest first', 1, 1000, dynamic=True),
    Parameter('min_size', 24.0, 'Hands and faces that are smaller are not looked at', 1.0, 10000.0,
              unit='px', dynamic=True),
    Parameter('look_again', False, 'Look a second time, around the keypoints that were found: '
              'more accurate, and twice the time', dynamic=True),
)
# Sides of the second crop, in bounds of the keypoints (MediaPipe's landmarks to rectangles).
_HAND_GROWTH, _FACE_GROWTH = 2.0, 1.5
_USUAL_PADDING = 1.25  # of cards; the rules for places hold for it


class _Task(NamedTuple):
    """One part of one person of one frame, and the region where it is looked for."""

    frame: int
    person: int
    part: str
    region: Region


class Parts(Stage):
    """Fills `People.parts`: left_hand and right_hand (P, 21, 3), face (P, 70, 3).

    A part that is not found is NaN with score 0. Left hands are mirrored, because networks may be
    trained on right hands only. Networks that yield coordinates see parts upright.
    """

    name = 'parts'
    PARAMETERS = PARTS_PARAMETERS

    def __init__(self, topology: Topology, hands: Optional[Network] = None,
                 face: Optional[Network] = None):
        """Take the skeleton format of the body and the networks; CardError for a wrong card."""
        super(Parts, self).__init__()
        self._topology, self._hands, self._face = topology, hands, face
        self.networks = tuple(network for network in (hands, face) if network is not None)
        for network, wanted in ((hands, 'hand_21'), (face, 'face_70')):
            own = network and network.card.topology
            if network and (own is None or own.name != wanted or network.card.input.fit != 'crop'):
                raise CardError('{} is no network of crops with the topology {}'.format(
                    network.card.name, wanted))
        self._sizes = {name: 21 for name in HANDS} if hands else {}
        self._sizes.update({FACE: 70} if face else {})
        self.counters['parts_skipped'] = 0

    def __call__(self, frames, people):
        """See Stage.__call__."""
        parts = [{name: np.full((persons.count, size, 3), (np.nan, np.nan, 0), np.float32)
                  for name, size in self._sizes.items()} for persons in people]
        tasks = [task for index, persons in enumerate(people)
                 for task in self._tasks(index, persons)]
        for network, names in ((self._hands, HANDS), (self._face, (FACE,))):
            chosen = [task for task in tasks if task.part in names]
            if chosen:
                found = self._run(network, frames, chosen, parts)
                if self._settings['look_again']:
                    self._run(network, frames, found, parts)
        return [persons._replace(parts=dict(persons.parts, **found))
                for persons, found in zip(people, parts)]

    def _tasks(self, index, people) -> List[_Task]:
        most = self._settings['max_people']
        areas = np.nan_to_num(people.boxes[:, 2] * people.boxes[:, 3])
        chosen = np.argsort(-areas, kind='stable')[:most]
        self.counters['parts_skipped'] += people.count - len(chosen)
        return [_Task(index, int(person), part, region)
                for person in chosen
                for part, region in self._regions(index, people.keypoints[person])]

    def _regions(self, index, keypoints):
        points = found_points(keypoints, self._topology)
        places = []
        if self._hands:
            places += [(part, hand_place(points, part[:-len('_hand')]), self._hands)
                       for part in HANDS]
        if self._face:
            places.append((FACE, face_place(points), self._face))
        return [(part, _region(index, place, network.card, part == HANDS[0]))
                for part, place, network in places
                if place and place.side >= self._settings['min_size']]

    @staticmethod
    def _run(network, frames, tasks, parts) -> List[_Task]:
        """Fill in the keypoints; return the tasks that found some, with regions around these."""
        again = []
        results = network.find(frames, [task.region for task in tasks])
        for task, (found, transform) in zip(tasks, results):
            if not len(found.scores):
                continue
            keypoints = found.keypoints[found.scores.argmax()].astype(np.float64)
            missing = keypoints[:, 2] <= 0
            keypoints[:, :2] = transform.to_image(keypoints[:, :2])
            keypoints[missing] = (np.nan, np.nan, 0)
            parts[task.frame][task.part][task.person] = keypoints
            if (~missing).sum() > 2:  # enough to tell the size
                again.append(task._replace(region=_around(keypoints[~missing, :2], task)))
        return again


def _around(points, task) -> Region:
    """Return the region of a task, moved around the points (n, 2) px that were found there."""
    low, high = points.min(0), points.max(0)
    growth = _FACE_GROWTH if task.part == FACE else _HAND_GROWTH
    side = max(growth * float((high - low).max()), 1.0)
    width, height = task.region.size
    size = (side * width / height, side)
    return task.region._replace(center=tuple((low + high) / 2), size=size)


def _region(frame, place: Place, card, mirror) -> Region:
    side = place.side * card.input.padding / _USUAL_PADDING
    height = side
    width = side * card.input.width / float(card.input.height)
    upright = card.decoder.type == 'regression'
    return Region(frame, tuple(place.center), (width, height), place.angle if upright else 0.0,
                  mirror)
