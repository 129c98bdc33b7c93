# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The boxes of people as vision_msgs/Detection2DArray (vision_msgs 4, Humble and later)."""
import numpy as np

from pose_ros.core.body import body_positions
from pose_ros.core.people import UNTRACKED
from pose_ros.nodes.interface import DETECTIONS_TOPIC
from pose_ros.nodes.optional_output import message_types, OptionalOutput
from pose_ros.nodes.qos import create_publisher, SKELETONS_QOS

_CLASS = 'person'


class DetectionOutput(OptionalOutput):
    """Publishes a box per person: its id is the track id, its pose the position of the person."""

    PARAMETER, NEEDS_TRACKING = 'detections', False

    def __init__(self, node, camera, topology, values):
        """Create the publisher; PoseRosError if vision_msgs is missing."""
        self._array, self._detection, self._result = message_types(
            'detections', 'vision_msgs', ['Detection2DArray', 'Detection2D',
                                          'ObjectHypothesisWithPose'])
        self._node, self._topology = node, topology
        topic = camera + '/' + DETECTIONS_TOPIC if camera else DETECTIONS_TOPIC
        self._publisher = create_publisher(node, self._array, topic, SKELETONS_QOS)

    @property
    def has_subscribers(self):
        """See OptionalOutput."""
        return self._publisher.get_subscription_count() > 0

    def publish(self, header, people, width, height):
        """See OptionalOutput."""
        positions = body_positions(people.positions, self._topology).tolist()
        fields = zip(people.boxes.tolist(), people.scores.tolist(), people.track_ids.tolist(),
                     positions)
        self._publisher.publish(self._array(header=header, detections=[
            self._detected(header, *person) for person in fields]))

    def clear(self, header):
        """See OptionalOutput."""
        self._publisher.publish(self._array(header=header))

    def destroy(self):
        """See OptionalOutput."""
        self._node.destroy_lifecycle_publisher(self._publisher)

    def _detected(self, header, box, score, track_id, position):
        result = self._result()
        result.hypothesis.class_id, result.hypothesis.score = _CLASS, score
        pose = result.pose.pose
        pose.orientation.w = 1.0
        if np.isfinite(position).all():
            pose.position.x, pose.position.y, pose.position.z = position
        detection = self._detection(header=header, results=[result],
                                    id='' if track_id == UNTRACKED else str(track_id))
        left, top, across, down = box
        # Boxes begin at the edge of pixel 0, whose center is the origin of pixels.
        detection.bbox.center.position.x = left + across / 2 - 0.5
        detection.bbox.center.position.y = top + down / 2 - 0.5
        detection.bbox.size_x, detection.bbox.size_y = across, down
        return detection
