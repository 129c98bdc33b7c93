# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A network finds the keypoints of one person in the crop around each box."""
import numpy as np

from pose_ros.core.network import Network
from pose_ros.core.people import make_people
from pose_ros.core.regions import crop_region
from pose_ros.core.stages.stage import Stage


class TopDown(Stage):
    """Runs a network on the crops of all boxes of all frames, in batches."""

    name = 'top_down'

    def __init__(self, network: Network):
        """Take a network whose decoder finds one person per crop."""
        super(TopDown, self).__init__()
        self.networks = (network,)

    def __call__(self, frames, people):
        """See Stage.__call__; people without a box are dropped."""
        network = self.networks[0]
        people = [persons.select(np.isfinite(persons.boxes).all(1)) for persons in people]
        regions = [crop_region(index, box, network.card.input)
                   for index, persons in enumerate(people) for box in persons.boxes]
        keypoints, scores = _best(network.find(frames, regions), network.card.topology.size)
        ends = np.cumsum([persons.count for persons in people])
        return [make_people(points, persons.scores * score, persons.track_ids, persons.boxes)
                for persons, points, score in zip(people, np.split(keypoints, ends[:-1]),
                                                  np.split(scores, ends[:-1]))]


def _best(results, size):
    """Return keypoints (R, K, 3) in image pixels and scores (R,) of the best find per region."""
    keypoints, scores, inverses = [], [], []
    for found, transform in results:
        best = int(found.scores.argmax()) if len(found.scores) else None
        keypoints.append(np.zeros((size, 3)) if best is None else found.keypoints[best])
        scores.append(0.0 if best is None else found.scores[best])
        inverses.append(transform.inverse)
    if not scores:
        return np.zeros((0, size, 3)), np.zeros(0)
    keypoints, inverse = np.array(keypoints, np.float64), np.array(inverses)
    keypoints[..., :2] = np.einsum('rij,rkj->rki', inverse[..., :2], keypoints[..., :2]) \
        + inverse[:, None, :, 2]
    return keypoints, np.array(scores)
