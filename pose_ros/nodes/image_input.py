# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One camera's image subscription, and what is wrong when no image comes."""
import functools
import time
from typing import List

from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from pose_ros.core.image_messages import decode_compressed, decode_image
from pose_ros.core.samples import SampleDepth
from pose_ros.nodes.clock import nanoseconds
from pose_ros.nodes.interface import COMPRESSED_SUFFIX
from pose_ros.nodes.losses import LossCounter
from pose_ros.nodes.qos import RELIABLE, ImageQos
from pose_ros.nodes.statistics import Statistics
from pose_ros.nodes.worker import Mailbox

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks


class ImageInput:
    """Puts the newest image message of one camera, and its time of arrival, into a mailbox.

    `decode` turns such a message into (H, W, 3) uint8 BGR. `topic` is the resolved name.
    """

    def __init__(self, node, name: str, mailbox: Mailbox, statistics: Statistics, transport: str,
                 qos: str, max_pixels: int):
        """Resolve the topic `name`; nothing is subscribed before `start`.

        PoseRosError if a qos_override is invalid.
        """
        self._node, self._mailbox, self._statistics = node, mailbox, statistics
        self._name, self._transport = name, transport
        compressed = transport == 'compressed'
        self._type, decode = (CompressedImage, decode_compressed) if compressed \
            else (Image, decode_image)
        self.decode = functools.partial(decode, depth=SampleDepth(), max_pixels=max_pixels)
        # Remapping `image` does not remap `image/compressed`: resolve first, then append.
        self.topic = node.resolve_topic_name(name) + (COMPRESSED_SUFFIX if compressed else '')
        self._qos = ImageQos(node, self.topic, qos)
        self._reliability, self._subscription = '', None
        self._started = 0.0
        self._losses = LossCounter()
        self._stamps = _StampWatch(node, self.topic, statistics)

    @property
    def active(self) -> bool:
        """Whether it is subscribed."""
        return self._subscription is not None

    def start(self) -> None:
        """Subscribe."""
        if not self.active:
            self._started = time.monotonic()
            self._subscribe()

    def stop(self) -> None:
        """Unsubscribe, and drop a waiting image."""
        if self.active:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            if self._mailbox.take() is not None:
                self._statistics.dropped += 1

    def check(self, timeout: float) -> List[str]:
        """Describe what keeps images from coming; follow the publishers' reliability (auto)."""
        if not self.active:
            return []
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if publishers and self._qos.choose(publishers) != self._reliability:
            self._node.destroy_subscription(self._subscription)
            self._subscribe()
        problems = [self._qos_problem()] if self._requests_too_much(publishers) else []
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
        self._losses.restart()
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        self._reliability = self._qos.choose(publishers)
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._subscription = self._node.create_subscription(
            self._type, self.topic, self._on_image, self._qos.profile(self._reliability),
            event_callbacks=events)

    def _on_image(self, message, info):
        stamp = nanoseconds(message.header.stamp)
        self._statistics.record_received()
        self._statistics.lost += self._losses.add(info, stamp)
        self._stamps.check(stamp)
        if self._mailbox.put((message, time.perf_counter())):
            self._statistics.dropped += 1

    def _on_incompatible_qos(self, _):
        self._node.get_logger().warning(self._qos_problem())

    def _requests_too_much(self, publishers):
        return self._reliability == RELIABLE and any(
            info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for info in publishers)

    def _qos_problem(self):
        return ('a publisher of {} offers best_effort, but this subscription requests {}: set '
                'image_qos to auto or sensor_data'.format(self.topic, self._reliability))

    def _explain_silence(self, silence, publishers):
        wanted = 'sensor_msgs/msg/' + self._type.__name__
        text = 'no image on {} for {:.0f} s ({} publishers)'.format(
            self.topic, silence, len(publishers))
        others = sorted({info.topic_type for info in publishers} - {wanted})
        if others:
            return '{}: it carries {}, but image_transport {} needs {}'.format(
                text, ', '.join(others), self._transport, wanted)
        if not publishers:
            return text + ': start the camera, or remap `{}` to its topic'.format(self._name)
        if self._requests_too_much(publishers):
            return text
        return text + ': the publisher exists, but sends nothing'


class _StampWatch:
    """Logs stamps that break consumers; the header itself is passed on untouched."""

    def __init__(self, node, topic, statistics):
        self._node, self._topic, self._statistics = node, topic, statistics
        self._last, self._warned = None, False

    def check(self, stamp):
        if stamp <= 0 and not self._warned:
            self._warned = True
            self._node.get_logger().warning(
                'images on {} have time stamp {}: they are published with it, but nothing can '
                'be synchronized with them; configure the driver to stamp its images'.format(
                    self._topic, '0' if stamp == 0 else '{:.3f} s, before 1970'.format(
                        stamp * 1e-9)))
        if self._last is not None and stamp < self._last:
            self._statistics.time_jumps += 1
            self._node.get_logger().info('time on {} jumped back by {:.3f} s (a bag that '
                                         'loops?)'.format(
                                             self._topic, (self._last - stamp) * 1e-9))
        self._last = stamp
