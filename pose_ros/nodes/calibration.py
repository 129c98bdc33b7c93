# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The camera_info messages of one camera, and which of them belongs to an image."""
import collections
import heapq
import threading
from typing import Optional

from sensor_msgs.msg import CameraInfo

from pose_ros.core.camera import Pinhole, pinhole_from_camera_info
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.nodes.qos import CAMERA_INFO_QOS, subscription_qos

_REMEMBERED = 100  # messages: an image may wait for the network this long
_PATIENCE = 20  # images without a match, before a warning; waits in vain
_LONGEST_WAIT = 0.05  # s
_ASPECT_TOLERANCE = 0.01


class Calibration:
    """Matches camera_info to images by their stamps.

    Drivers often publish camera_info just after its image, or with a stamp of its own. A frame
    takes the message of its exact stamp. Without one it takes the last one before its stamp, if
    that is for images of the same size and equals the one before it: then the calibration is
    constant. Else (the first image, a zoom) it waits a moment for its own. `settle` looks again
    after inference, for what is published.
    """

    def __init__(self, node, topic: str, rectified: bool):
        """Take the topic, relative; nothing is subscribed before `start`.

        PoseRosError if a qos_override is invalid.
        """
        self._node, self._topic, self._rectified = node, topic, rectified
        self._qos = subscription_qos(node, topic, CAMERA_INFO_QOS)
        self._subscription = None
        self._arrival = threading.Condition()
        self._vain = 0  # waits in a row without a result
        self._exact_once = False
        # Stamp -> Pinhole, None for an invalid message; the oldest first.
        self._cameras: 'collections.OrderedDict' = collections.OrderedDict()
        self._warned = set()
        self.received = self.matched = self.unmatched = self.invalid = 0
        self.problem = ''

    def start(self) -> None:
        """Subscribe."""
        if self._subscription is None:
            self._subscription = self._node.create_subscription(
                CameraInfo, self._topic, self.add, self._qos)

    def stop(self) -> None:
        """Unsubscribe."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def add(self, message) -> None:
        """Keep a sensor_msgs/CameraInfo; an invalid one is counted and logged."""
        try:
            camera = pinhole_from_camera_info(message, self._rectified)
        except ImageError as error:
            camera = None
            self.invalid += 1
            self._warn(str(error))
        with self._arrival:
            self.received += 1
            self._cameras[_key(message.header.stamp)] = camera
            while len(self._cameras) > _REMEMBERED:
                self._cameras.popitem(last=False)
            self._arrival.notify_all()

    def find(self, stamp, width: int, height: int) -> Optional[Pinhole]:
        """Return the camera of the image of this stamp and size [px]; None if there is none.

        It waits for at most _LONGEST_WAIT, and no more after a few waits in vain.
        """
        key, size = _key(stamp), (width, height)
        with self._arrival:
            if key not in self._cameras and not self._constant(key, size) and self._may_come():
                came = self._arrival.wait_for(lambda: key in self._cameras, _LONGEST_WAIT)
                self._vain = 0 if came else self._vain + 1
            return self._exact(key, size) or self._constant(key, size)

    def settle(self, stamp, frame: Frame) -> Optional[Pinhole]:
        """Return the camera of a frame after inference, and count whether there was one."""
        key = _key(stamp)
        with self._arrival:
            known = key in self._cameras
            self._exact_once = self._exact_once or known
            camera = self._exact(key, frame.size) or frame.camera \
                or self._constant(key, frame.size)
        if camera is not None:
            self.matched += 1
        elif not known:
            self.unmatched += 1
            if self.received > _PATIENCE < self.unmatched and not self._exact_once:
                self._warn('camera_info arrives, but never with the stamp of an image: publish '
                           'both with the same stamp')
        return camera

    def _may_come(self):
        return self._vain < _PATIENCE and self._subscription is not None \
            and self._node.count_publishers(self._node.resolve_topic_name(self._topic)) > 0

    def _constant(self, key, size):
        """Return the camera before a stamp, if none has that stamp and the camera is constant.

        One message alone counts as constant.
        """
        if key in self._cameras:
            return None
        before = heapq.nlargest(2, (other for other in self._cameras if other < key))
        cameras = [self._cameras[other] for other in before]
        if not cameras or cameras[0] is None or cameras[0] != cameras[-1]:
            return None
        return cameras[0] if (cameras[0].width, cameras[0].height) == size else None

    def _exact(self, key, size):
        """Return the camera of a stamp for images of this size; None if its aspect differs."""
        camera, (width, height) = self._cameras.get(key), size
        if camera is None or (camera.width, camera.height) == (width, height):
            return camera
        aspect = float(width) * camera.height / (height * camera.width)
        if abs(aspect - 1) > _ASPECT_TOLERANCE:
            self._warn('camera_info describes images of {} x {}, but this one has {} x {}'.format(
                camera.width, camera.height, width, height))
            return None
        return camera.scaled(width, height)

    def _warn(self, text):
        """Log a problem once."""
        text = '{}: {}'.format(self._node.resolve_topic_name(self._topic), text)
        self.problem = text
        if text not in self._warned:
            self._warned.add(text)
            self._node.get_logger().warning(text)


def _key(stamp):
    return stamp.sec, stamp.nanosec
