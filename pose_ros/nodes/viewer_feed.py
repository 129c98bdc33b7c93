# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of one camera, as the node `viewer` takes them."""
import time
from typing import Any, Callable, Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from pose_ros.core.errors import ImageError
from pose_ros.core.image_messages import decode_image
from pose_ros.core.viewer import Person, Sample, View
from pose_ros.core.viewer.view import ERROR, OK, WARNING
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.clock import steady_timer
from pose_ros.nodes.interface import camera_topics
from pose_ros.nodes.qos import DRAWING_QOS

_NEWEST_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
_PEOPLE_PERIOD = 0.2  # s between two tables of people
_SILENCE = 5.0  # s without diagnostics that are a problem
_LEVELS = {DiagnosticStatus.OK: OK, DiagnosticStatus.WARN: WARNING}
_SEVERITY = (OK, WARNING, ERROR)


class _OnDemand(ReentrantCallbackGroup):
    """Lets the executor take a message only while one is wanted; the others are replaced."""

    def __init__(self, wanted: Callable[[], bool]):
        super(_OnDemand, self).__init__()
        self._wanted = wanted

    def can_execute(self, entity):
        """See CallbackGroup.can_execute."""
        return self._wanted()


class Feed:
    """Fills the view of one camera; all calls come from the executor's thread."""

    def __init__(self, node, camera: str, values: Dict[str, Any]):
        """Take the node, the name of the camera ('' for the only one), and the parameters."""
        self._node, self._topics = node, camera_topics(camera)
        self._skeletons_topic = node.resolve_topic_name(self._topics.skeletons)
        self._estimators = node.get_namespace().rstrip('/') + '/estimator'
        self._subscriptions: List[Any] = []
        self._timer: Any = None
        self._period = 1.0 / values['rate']
        self._images = _OnDemand(lambda: self.view.wants_image())
        self._people = _OnDemand(lambda: time.monotonic() >= self._next_people)
        self._next_people = 0.0
        self._heard: Optional[float] = None
        self._start = time.monotonic()
        self.view = View(camera, values)
        self.view.check = self._check

    def update(self) -> None:
        """Subscribe while a viewer looks, and not otherwise."""
        if self.view.watched and not self._subscriptions:
            # The executor looks at what is wanted whenever it wakes up.
            self._timer = steady_timer(self._node, self._period, lambda: None)
            self._subscriptions = [
                self._node.create_subscription(Image, self._topics.overlay, self._on_overlay,
                                               DRAWING_QOS, callback_group=self._images),
                self._node.create_subscription(SkeletonArray, self._topics.skeletons,
                                               self._on_skeletons, _NEWEST_QOS,
                                               callback_group=self._people)]
        elif self._subscriptions and not self.view.watched:
            self._node.destroy_timer(self._timer)
            for subscription in self._subscriptions:
                self._node.destroy_subscription(subscription)
            self._subscriptions = []

    def read_diagnostics(self, statuses: List[DiagnosticStatus]) -> None:
        """Take what the estimator of this camera reports."""
        fields = [(status, {item.key: item.value for item in status.values})
                  for status in statuses]
        mine = [(status, values) for status, values in fields
                if values.get('skeletons topic') == self._skeletons_topic]
        name = mine[0][0].name.split(': ')[0] if mine else self._estimators
        node = [(status, values) for status, values in fields if status.name == name + ': engine']
        if not node + mine:
            return
        self._heard = time.monotonic()
        faults = [status for status, _ in node + mine if status.level != DiagnosticStatus.OK]
        level = max((_LEVELS.get(status.level, ERROR) for status in faults), default=OK,
                    key=_SEVERITY.index)
        problems = [status.message for status in faults]
        self.view.report(_engines(node), level, sorted(set(problems), key=problems.index))
        for _, values in mine:
            self.view.add_sample(_sample(values))

    def _on_overlay(self, message):
        try:
            self.view.show(decode_image(message))
        except ImageError as error:
            self._node.get_logger().warning('overlay skipped: {}'.format(error),
                                            throttle_duration_sec=10.0)

    def _on_skeletons(self, message):
        self._next_people = time.monotonic() + _PEOPLE_PERIOD
        self.view.list_people([
            Person(person.track_id, person.confidence,
                   sum(keypoint.confidence > 0 for keypoint in person.keypoints),
                   len(person.keypoints)) for person in message.skeletons])

    def _check(self):
        seconds = time.monotonic() - (self._heard or self._start)
        if seconds < _SILENCE:
            return ''
        return ('no diagnostics of an estimator that publishes {} for {:.0f} s: it was not '
                'started in this namespace, or has ended'.format(self._skeletons_topic, seconds))


def _engines(node):
    return ', '.join('{} by {}'.format(values[prefix + 'model'], values[prefix + 'engine'])
                     for _, values in node for prefix in ('detector ', '')
                     if prefix + 'model' in values and prefix + 'engine' in values)


def _sample(values) -> Sample:
    def number(key):
        return float(values[key].split()[0]) if values.get(key) else float('nan')
    rate = number('processed rate [Hz]')
    dropped = number('dropped rate [Hz]') + number('lost rate [Hz]')
    if not rate:  # the other figures are of the last frames, however old they are
        return Sample(rate, float('nan'), dropped, float('nan'))
    return Sample(rate, 1e-3 * number('latency [ms]'), dropped, number('people in last frame'))
