# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The depth images of one camera, and which of them belongs to an image."""
import bisect
import functools
import threading
import time
from typing import Any, Dict, List, Optional

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from pose_ros.core.errors import ImageError
from pose_ros.nodes.clock import nanoseconds
from pose_ros.nodes.depth_codec import decode_compressed_depth, decode_depth_image
from pose_ros.nodes.interface import COMPRESSED_DEPTH_SUFFIX
from pose_ros.nodes.qos import ImageQos

_REMEMBERED = 8  # messages: the image that is processed is seldom older than a few periods
_LONGEST_WAIT = 0.05  # s
_FEW = 5  # images without depth in a row, which are no problem yet
_PATIENCE = 20  # such images, after which it waits only now and then
_RETRY = 50  # images
_SHOWN_FOR = 5.0  # s that a problem is reported


class DepthInput:
    """Finds the depth of an image: that of its exact stamp, or the nearest within `depth_slop`.

    An image waits a moment for a depth image that is not older than itself. Without one, or with
    an unregistered or invalid one, people have no positions; the log has each reason once, and
    the counts are for diagnostics. `topic` is the resolved name.
    """

    def __init__(self, node, name: str, values: Dict[str, Any]):
        """Resolve the topic `name`; nothing is subscribed before `start`.

        `values` are the node's live parameter values. PoseRosError if a qos_override is invalid.
        """
        self._node, self._values, self._name = node, values, name
        compressed = values['depth_transport'] == 'compressed'
        self._type, decode = (CompressedImage, decode_compressed_depth) if compressed \
            else (Image, decode_depth_image)
        self._decode = functools.partial(decode, max_pixels=values['max_pixels'])
        self.topic = node.resolve_topic_name(name) + (
            COMPRESSED_DEPTH_SUFFIX if compressed else '')
        self._qos = ImageQos(node, self.topic, values['image_qos'], _REMEMBERED)
        self._subscription, self._reliability = None, ''
        self._arrival = threading.Condition()
        self._stamps: List[int] = []  # ns, ascending
        self._messages: List[Any] = []
        self._vain = 0  # images in a row without depth
        self._warned = set()
        self.received = self.matched = self.missing = self.refused = 0
        self.problem, self._problem_time = '', -_SHOWN_FOR

    def start(self) -> None:
        """Subscribe."""
        if self._subscription is None:
            self._reliability = self._qos.choose(self._publishers())
            self._subscription = self._node.create_subscription(
                self._type, self.topic, self.add, self._qos.profile(self._reliability))

    def stop(self) -> None:
        """Unsubscribe, and forget the images."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        with self._arrival:
            self._stamps, self._messages = [], []

    def check(self) -> None:
        """Follow the publishers' reliability (image_qos auto)."""
        if self._subscription is not None:
            publishers = self._publishers()
            if publishers and self._qos.choose(publishers) != self._reliability:
                self.stop()
                self.start()

    def recent_problem(self) -> str:
        """Return what lately kept people from having positions, else ''."""
        return self.problem if time.monotonic() - self._problem_time < _SHOWN_FOR else ''

    def add(self, message) -> None:
        """Keep a depth message."""
        stamp = nanoseconds(message.header.stamp)
        with self._arrival:
            self.received += 1
            if self._stamps and stamp <= self._stamps[-1]:  # time jumped back: a bag that loops
                self._stamps, self._messages = [], []
            self._stamps.append(stamp)
            self._messages.append(message)
            del self._stamps[:-_REMEMBERED], self._messages[:-_REMEMBERED]
            self._arrival.notify_all()

    def find(self, header, image: np.ndarray, calibrated: bool) -> Optional[np.ndarray]:
        """Return the depth (H, W) float32 [m] of an image and its header; None without one.

        calibrated: whether the camera of the image is known, without which depth is of no use.
        """
        message = self._nearest(nanoseconds(header.stamp))
        if message is None:
            return None
        try:
            if not calibrated:
                raise ImageError('depth needs the calibration of the image, and there is no valid '
                                 'camera_info: people have no positions')
            self._check_registration(message, header, image)
            depth = self._decode(message)
            if depth.shape != image.shape[:2]:
                raise ImageError(self._unregistered(message, header, depth.shape[::-1], image))
        except ImageError as error:
            self.refused += 1
            self._warn(str(error))
            return None
        self.matched += 1
        return depth

    def _nearest(self, stamp):
        """Return the message of a stamp [ns], None without one, which is counted."""
        slop = self._values['depth_slop'] * 1e9
        with self._arrival:
            if stamp and self._may_come(stamp):
                self._arrival.wait_for(lambda: self._stamps and self._stamps[-1] >= stamp,
                                       _LONGEST_WAIT)
            place = bisect.bisect_left(self._stamps, stamp)
            near = sorted((abs(self._stamps[k] - stamp), k) for k in (place - 1, place)
                          if 0 <= k < len(self._stamps))
            if stamp and near and near[0][0] <= slop:
                self._vain = 0
                return self._messages[near[0][1]]
        if not self.received and not self._publishers_exist():
            return None
        self._vain += 1
        self.missing += 1
        if self._vain >= _FEW:
            self._warn('no depth image within depth_slop ({:g} s) of the image: {}'.format(
                self._values['depth_slop'], 'publish both with the same stamp' if stamp and near
                else 'none arrives' if stamp else 'the image has no stamp'))
        return None

    def _may_come(self, stamp):
        patient = self._vain < _PATIENCE or self._vain % _RETRY == 0
        return patient and (not self._stamps or self._stamps[-1] < stamp) \
            and self._publishers_exist()

    def _publishers(self):
        return self._node.get_publishers_info_by_topic(self.topic)

    def _publishers_exist(self):
        return self._node.count_publishers(self.topic) > 0

    def _check_registration(self, message, header, image):
        size = (message.width, message.height) if self._type is Image else image.shape[1::-1]
        if message.header.frame_id != header.frame_id or tuple(size) != image.shape[1::-1]:
            raise ImageError(self._unregistered(message, header, size, image))

    @staticmethod
    def _unregistered(message, header, size, image):
        return ('depth is not registered to the image: it has {} x {} px in the frame {!r}, the '
                'image {} x {} in {!r}; let the driver align depth to color, or use '
                'depth_image_proc (register), and remap `depth` to the result'.format(
                    size[0], size[1], message.header.frame_id, image.shape[1], image.shape[0],
                    header.frame_id))

    def _warn(self, text):
        """Log a problem once."""
        text = '{}: {}'.format(self.topic, text)
        self.problem, self._problem_time = text, time.monotonic()
        if text not in self._warned and len(self._warned) < 100:
            self._warned.add(text)
            self._node.get_logger().warning(text)
