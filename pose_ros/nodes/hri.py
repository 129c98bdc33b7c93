# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People in the way of REP 155 (ROS for human-robot interaction): /humans/bodies/..."""
import numpy as np
from geometry_msgs.msg import Point, PointStamped

from pose_ros.core.body import body_positions
from pose_ros.core.convert import convert_people
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import no_people, UNTRACKED
from pose_ros.core.topology import get_topology
from pose_ros.nodes.optional_output import message_types, OptionalOutput
from pose_ros.nodes.qos import create_publisher, SKELETONS_QOS

_BODIES = '/humans/bodies/'  # REP 155 names its topics absolutely
_PATIENCE = 30  # frames
_COCO_18 = get_topology('coco_18')
# hri_msgs/Skeleton2D has the order of COCO-18, but the left eye and ear before the right ones.
ORDER = list(range(14)) + [15, 14, 17, 16]


def body_id(track_id: int) -> str:
    """Return the id of a person; in REP 155 ids begin with a letter."""
    return 'p{:05d}'.format(track_id)


class HriOutput(OptionalOutput):
    """Publishes the list of people that have an id, and of each skeleton, ROI and position."""

    PARAMETER, NEEDS_TRACKING = 'hri', True

    def __init__(self, node, camera, topology, values):
        """Create the publisher of the list; those of people come and go with them.

        PoseRosError if hri_msgs is missing, if there are several cameras, or if the keypoints of
        the model are not those of people.
        """
        self._list, self._skeleton, self._point, self._region = message_types(
            'hri', 'hri_msgs', ['IdsList', 'Skeleton2D', 'NormalizedPointOfInterest2D',
                                'NormalizedRegionOfInterest2D'])
        if len(values['cameras']) > 1:
            raise PoseRosError('the parameter hri takes one camera: /humans/bodies/tracked of REP '
                               '155 lists the people of one; start a node for it alone')
        convert_people(no_people(topology), topology, _COCO_18)
        self._node, self._topology = node, topology
        self._publishers, self._missed = {}, {}  # by id; frames in a row without the person
        self._tracked = create_publisher(node, self._list, _BODIES + 'tracked', SKELETONS_QOS)

    @property
    def has_subscribers(self):
        """See OptionalOutput."""
        publishers = [self._tracked] + [
            publisher for some in list(self._publishers.values()) for publisher in some]
        return any(publisher.get_subscription_count() for publisher in publishers)

    def publish(self, header, people, width, height):
        """See OptionalOutput."""
        people = people.select(people.track_ids != UNTRACKED)
        ids = [body_id(track_id) for track_id in people.track_ids.tolist()]
        self._follow(ids)
        self._tracked.publish(self._list(header=header, ids=ids))
        positions = body_positions(people.positions, self._topology).tolist()
        bodies = convert_people(people, self._topology, _COCO_18)
        keypoints = _normalized(bodies.keypoints[:, ORDER], width, height).tolist()
        low, size = people.boxes[:, :2], people.boxes[:, 2:]
        corners = np.concatenate([low, low + size], 1) / (width, height, width, height)
        corners = np.nan_to_num(corners).clip(0, 1).tolist()
        for index, name in enumerate(ids):
            skeleton, region, position = self._publishers[name]
            skeleton.publish(self._skeleton(header=header, skeleton=[
                self._point(x=x, y=y, c=c) for x, y, c in keypoints[index]]))
            left, top, right, bottom = corners[index]
            region.publish(self._region(header=header, xmin=left, ymin=top, xmax=right,
                                        ymax=bottom, c=float(people.scores[index])))
            x, y, z = positions[index]
            if np.isfinite(positions[index]).all():
                position.publish(PointStamped(header=header, point=Point(x=x, y=y, z=z)))

    def clear(self, header):
        """See OptionalOutput."""
        for name in list(self._publishers):
            self._remove(name)
        self._tracked.publish(self._list(header=header, ids=[]))

    def destroy(self):
        """See OptionalOutput."""
        for name in list(self._publishers):
            self._remove(name)
        self._node.destroy_lifecycle_publisher(self._tracked)

    def _follow(self, ids):
        """Create the publishers of new people; destroy those of people that left for a while."""
        self._missed = {name: 0 if name in ids else self._missed[name] + 1
                        for name in set(self._missed) | set(ids)}
        for name in [name for name, count in self._missed.items() if count > _PATIENCE]:
            self._remove(name)
        for name in ids:
            if name not in self._publishers:
                self._publishers[name] = [
                    self._node.create_publisher(kind, _BODIES + name + '/' + topic, 1)
                    for kind, topic in ((self._skeleton, 'skeleton2d'), (self._region, 'roi'),
                                        (PointStamped, 'position'))]

    def _remove(self, name):
        del self._missed[name]
        for publisher in self._publishers.pop(name):
            self._node.destroy_publisher(publisher)


def _normalized(keypoints, width, height):
    """Return keypoints (P, K, 3) in [0, 1] of the image; a missing one is 0, 0, 0."""
    points = (keypoints[..., :2] + 0.5) / (width, height)
    return np.concatenate([np.nan_to_num(points).clip(0, 1), keypoints[..., 2:]], -1)
