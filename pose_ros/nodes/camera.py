# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One camera's input: its subscriptions, and what is wrong when no image comes."""
import time
from typing import List

from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pose_ros.nodes.interface import CAMERA_INFO_TOPIC, COMPRESSED_SUFFIX, IMAGE_TOPIC
from pose_ros.nodes.qos import RELIABLE, SENSOR_DATA, choose_image_qos, image_qos
from pose_ros.nodes.statistics import Statistics
from pose_ros.nodes.worker import Mailbox

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks


class CameraInput:
    """Puts the newest image message of one camera, and its time of arrival, into a mailbox."""

    def __init__(self, node, mailbox: Mailbox, statistics: Statistics, transport: str, qos: str):
        """Resolve the topics; nothing is subscribed before `start`."""
        self._node, self._mailbox, self._statistics = node, mailbox, statistics
        self._type = CompressedImage if transport == 'compressed' else Image
        self.compressed = transport == 'compressed'
        # Remapping `image` does not remap `image/compressed`: resolve first, then append.
        suffix = COMPRESSED_SUFFIX if self.compressed else ''
        self.topic = node.resolve_topic_name(IMAGE_TOPIC) + suffix
        self._qos_setting, self._qos = qos, SENSOR_DATA
        self._image = self._info = None
        self._started = 0.0
        self.camera_info = None

    @property
    def active(self) -> bool:
        """Whether it is subscribed."""
        return self._image is not None

    def start(self) -> None:
        """Subscribe."""
        if not self.active:
            self._started = time.monotonic()
            self._subscribe()
            self._info = self._node.create_subscription(
                CameraInfo, CAMERA_INFO_TOPIC, self._on_info, image_qos(SENSOR_DATA))

    def stop(self) -> None:
        """Unsubscribe, and forget a waiting image."""
        if self.active:
            self._node.destroy_subscription(self._image)
            self._node.destroy_subscription(self._info)
            self._image = self._info = None
            if self._mailbox.take() is not None:
                self._statistics.dropped += 1

    def check(self, timeout: float) -> List[str]:
        """Say what keeps images from coming, and follow the publishers' reliability (auto)."""
        if not self.active:
            return []
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if choose_image_qos(self._qos_setting, publishers) != self._qos and publishers:
            self._node.destroy_subscription(self._image)
            self._subscribe()
        problems = [self._qos_problem()] if self._asks_too_much(publishers) else []
        if len(publishers) > 1:
            names = ', '.join(info.node_namespace.rstrip('/') + '/' + info.node_name
                              for info in publishers)
            problems.append('{} has {} publishers, whose images mix: remap one of them '
                            '({})'.format(self.topic, len(publishers), names))
        silence = self._statistics.silence(self._started)
        if silence > timeout:
            problems.append(self._explain_silence(silence, publishers))
        return problems

    def _subscribe(self):
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        self._qos = choose_image_qos(self._qos_setting, publishers)
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._image = self._node.create_subscription(
            self._type, self.topic, self._on_image, image_qos(self._qos), event_callbacks=events)

    def _on_image(self, message):
        self._statistics.record_received()
        if self._mailbox.put((message, time.perf_counter())):
            self._statistics.dropped += 1

    def _on_info(self, message):
        self.camera_info = message

    def _on_incompatible_qos(self, _):
        self._node.get_logger().warning(self._qos_problem())

    def _asks_too_much(self, publishers):
        return self._qos == RELIABLE and any(
            info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for info in publishers)

    def _qos_problem(self):
        return ('a publisher of {} offers best_effort, but this subscription asks for {}: set '
                'image_qos to auto or sensor_data'.format(self.topic, self._qos))

    def _explain_silence(self, silence, publishers):
        wanted = 'sensor_msgs/msg/' + self._type.__name__
        text = 'no image on {} for {:.0f} s ({} publishers)'.format(
            self.topic, silence, len(publishers))
        others = sorted({info.topic_type for info in publishers} - {wanted})
        if others:
            return '{}: it carries {}, but image_transport {} needs {}'.format(
                text, ', '.join(others), 'compressed' if self.compressed else 'raw', wanted)
        if not publishers:
            return text + ': start the camera, or remap `{}` to its topic'.format(IMAGE_TOPIC)
        if self._asks_too_much(publishers):
            return text
        return text + ': the camera is connected but silent'
