# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TF frames of people and their keypoints: body_<id> and body_<id>/<keypoint>."""
import numpy as np
from geometry_msgs.msg import Transform, TransformStamped, Vector3

from pose_ros.core.body import body_positions
from pose_ros.core.people import UNTRACKED
from pose_ros.nodes.hri import body_id
from pose_ros.nodes.interface import TF_TOPIC
from pose_ros.nodes.optional_output import message_types, OptionalOutput
from pose_ros.nodes.qos import create_publisher, TF_QOS


class TransformOutput(OptionalOutput):
    """Publishes the frames of each person that has an id and positions.

    The parent is the frame of the image. Frames have its axes: only positions are measured. With
    several cameras, the name of the camera and a slash stand before body_<id>.
    """

    PARAMETER, NEEDS_TRACKING = 'tf', True

    def __init__(self, node, camera, topology, values):
        """Create the publisher; PoseRosError if tf2_msgs is missing."""
        self._message, = message_types('tf', 'tf2_msgs', ['TFMessage'])
        self._node, self._topology = node, topology
        self._prefix = camera + '/body_' if camera else 'body_'
        self._id = body_id if values['hri'] else str
        self._publisher = create_publisher(node, self._message, TF_TOPIC, TF_QOS)
        self._warned = False

    @property
    def has_subscribers(self):
        """See OptionalOutput."""
        return self._publisher.get_subscription_count() > 0

    def publish(self, header, people, width, height):
        """See OptionalOutput."""
        transforms = []
        positions = np.concatenate(
            [body_positions(people.positions, self._topology)[:, None], people.positions], 1)
        endings = [''] + ['/' + name for name in self._topology.keypoint_names]
        for person in np.flatnonzero(people.track_ids != UNTRACKED):
            name = self._prefix + self._id(int(people.track_ids[person]))
            transforms += [self._transform(header, name + ending, position)
                           for ending, position in zip(endings, positions[person].tolist())
                           if np.isfinite(position).all()]
        if transforms and not header.frame_id:
            self._warn()
        elif transforms:
            self._publisher.publish(self._message(transforms=transforms))

    def destroy(self):
        """See OptionalOutput."""
        self._node.destroy_lifecycle_publisher(self._publisher)

    @staticmethod
    def _transform(header, name, position):
        x, y, z = position
        result = TransformStamped(header=header, child_frame_id=name, transform=Transform(
            translation=Vector3(x=x, y=y, z=z)))
        result.transform.rotation.w = 1.0
        return result

    def _warn(self):
        if not self._warned:
            self._warned = True
            self._node.get_logger().warning(
                'no transforms are published: the images have no frame_id; configure the driver')
