# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A detector finds people, a second network the keypoints in the crop of each."""
from typing import Dict, List, Optional, Sequence

import numpy as np

from pose_ros.core.decoders import Decoder
from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.parameters import Parameter
from pose_ros.core.people import keypoint_bounds, make_people, People, people_in_boxes
from pose_ros.core.regions import crop_region, whole
from pose_ros.core.stages.following import Follower
from pose_ros.core.stages.stage import Stage

_GROWTH = 1.2  # of the bounds of keypoints to the box of a person, with head top and feet
_STILL_SEEN = 0.25  # score of the keypoints below which a person is not followed further

TOP_DOWN_PARAMETERS = (
    Parameter('max_people', 12, 'Crops per frame at most, the largest boxes first', 1, 1000,
              dynamic=True),
    Parameter('detector_interval', 1, 'The detector runs on every n-th frame of a camera; between '
              'them, boxes follow the keypoints of the frame before', 1, 1000, unit='frames',
              dynamic=True),
    Parameter('follow', False, 'Without a detector: crop around the keypoints of the frame '
              'before, for a single person or hand in a video; the whole frame when it is lost',
              dynamic=True),
    Parameter('mirror_test', False, 'Average each crop with its mirror image: more accurate, and '
              'twice the time', dynamic=True),
)


class _Memory:
    """What is kept of one camera: the boxes of its last frame, and the age of the detection."""

    def __init__(self):
        self.boxes = np.zeros((0, 4), np.float32)
        self.scores = np.zeros(0, np.float32)
        self.age = 0


class TopDown(Stage):
    """Crops of all people of all frames go through the network in batches.

    Without a detector the people of the stages before need boxes. The counter `people_skipped`
    counts those that max_people leaves out.
    """

    name = 'top_down'
    PARAMETERS = TOP_DOWN_PARAMETERS

    def __init__(self, network: Network, detector: Optional[Network] = None):
        """Take the network of the crops and the detector; CardError if a card does not suit."""
        topology = network.card.topology
        if network.card.input.fit != 'crop' or topology is None:
            raise CardError("{} is no network of crops: its card has 'fit': {!r}. Leave the "
                            'detector out'.format(network.card.name, network.card.input.fit))
        self._network, self._detector, self._topology = network, detector, topology
        self.networks = (network,) if detector is None else (detector, network)
        self._memories: Dict[str, _Memory] = {}
        self._follower = Follower()
        super(TopDown, self).__init__()
        self.counters['people_skipped'] = 0

    def configure(self, **changes):
        """See Configurable.configure."""
        decoder = self._network.decoder
        if changes.get('mirror_test') and type(decoder).unmirrored is Decoder.unmirrored:
            raise PoseRosError('mirror_test must stay false: {} has the decoder type {!r}, whose '
                               'outputs cannot be mirrored'.format(
                                   self._network.card.name, self._network.card.decoder.type))
        if changes.get('follow') and self._detector is not None:
            raise PoseRosError('follow must stay false with a detector: detector_interval makes '
                               'crops follow the people')
        super(TopDown, self).configure(**changes)

    def __call__(self, frames, people):
        """See Stage.__call__; people without a box are dropped."""
        if self._detector is not None:
            people = self._detect(self._detector, frames)
        elif self._settings['follow']:
            people = [self._follower.place(*pair) for pair in zip(frames, people)]
        people = [self._largest(*pair) for pair in zip(frames, people)]
        regions = [crop_region(index, box, self._network.card.input)
                   for index, persons in enumerate(people) for box in persons.boxes]
        keypoints, scores = self._pose(frames, regions)
        result, first = [], 0
        for frame, persons in zip(frames, people):
            own = slice(first, first + persons.count)
            result.append(self._remembered(frame, persons, keypoints[own], scores[own]))
            first += persons.count
        return result

    def forget(self, source):
        """See Stage.forget."""
        self._memories.pop(source, None)
        self._follower.forget(source)

    def _detect(self, detector: Network, frames: Sequence[Frame]) -> List[People]:
        """Return people with boxes: detected ones, or those followed since the last detection."""
        topology = self._topology
        memories = [self._memories.setdefault(frame.source, _Memory()) for frame in frames]
        due = [index for index, memory in enumerate(memories)
               if not len(memory.boxes) or memory.age + 1 >= self._settings['detector_interval']]
        people = [people_in_boxes(memory.boxes, topology, memory.scores) for memory in memories]
        for memory in memories:
            memory.age += 1
        regions = [whole(index, *frames[index].size) for index in due]
        for index, (found, transform) in zip(due, detector.find(frames, regions)):
            boxes = _inside(transform.boxes_to_image(found.boxes), *frames[index].size)
            people[index] = people_in_boxes(boxes, topology, found.scores)
            memories[index].age = 0
        return people

    def _largest(self, frame, people):
        people = _seen(people, *frame.size)
        most = self._settings['max_people']
        if people.count <= most:
            return people
        self.counters['people_skipped'] += people.count - most
        areas = people.boxes[:, 2] * people.boxes[:, 3]
        return people.select(np.sort(np.argsort(-areas, kind='stable')[:most]))

    def _pose(self, frames, regions):
        """Return keypoints (R, K, 3) in image pixels and scores (R,) of the regions."""
        network, decoder = self._network, self._network.decoder
        if self._settings['mirror_test']:
            pairs = [each for region in regions for each in (region,
                                                             region._replace(mirror=True))]
            return _best(_mirror_averaged(network(frames, pairs), decoder),
                         self._topology.size)
        return _best(network.find(frames, regions), self._topology.size)

    def _remembered(self, frame, people, keypoints, scores):
        result = make_people(keypoints, people.scores * scores, people.track_ids, people.boxes)
        if self._detector is not None:
            memory = self._memories[frame.source]
            seen = (scores >= _STILL_SEEN) & (result.detected().sum(1) > 1)
            memory.boxes = _grown(keypoint_bounds(result.keypoints[seen]), *frame.size)
            memory.scores = people.scores[seen]
        elif self._settings['follow']:
            self._follower.update(frame, result, scores)
        return result


def _mirror_averaged(results, decoder):
    """Decode the mean of the outputs of each region and of its mirror image."""
    for outputs, transform in results:
        mirrored, _ = next(results)
        mirrored = decoder.unmirrored(mirrored)
        yield decoder.decode({name: (array + mirrored[name]) / 2
                              for name, array in outputs.items()}), transform


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


def _seen(people, width, height):
    """Return the people with a box of which something is in the image, clipped to it."""
    finite = np.isfinite(people.boxes).all(1)
    if not finite.all():
        people = people.select(finite)
    boxes = people.boxes
    ends = boxes[:, :2] + boxes[:, 2:]
    outside = (boxes[:, :2] < 0).any(1) | (ends > (width, height)).any(1)
    if outside.any():
        boxes = np.where(outside[:, None], _inside(boxes, width, height), boxes)
        people = people._replace(boxes=boxes.astype(np.float32))
    area = (boxes[:, 2:] > 0).all(1)
    return people if area.all() else people.select(area)


def _inside(boxes, width, height):
    """Clip boxes (P, 4) to the image."""
    size = np.array((width, height), boxes.dtype)
    low = np.minimum(np.maximum(boxes[:, :2], 0), size)
    high = np.minimum(np.maximum(boxes[:, :2] + boxes[:, 2:], 0), size)
    return np.concatenate([low, high - low], 1)


def _grown(boxes, width, height):
    """Enlarge the bounds of keypoints to boxes of people, within the image."""
    grow = boxes[:, 2:] * (_GROWTH - 1) / 2
    return _inside(np.concatenate([boxes[:, :2] - grow, boxes[:, 2:] + 2 * grow], 1), width,
                   height).astype(np.float32)
