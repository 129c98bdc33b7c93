# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Quality-of-service profiles by name, and the overrides of ROS 2 (parameters qos_overrides.*).

The parameters have the names and meanings of rclpy's QoSOverridingOptions. That class checks
values when a publisher or subscription is created, which may be long after configure, and fixes
the reliability of the first subscription, which image_qos auto has to change.
"""
from typing import Any, Dict

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from pose_ros.core.parameters import Parameter
from pose_ros.nodes.parameters import declare

AUTO, SENSOR_DATA, RELIABLE = 'auto', 'sensor_data', 'reliable'

SKELETONS_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
DRAWING_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
CAMERA_INFO_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
TF_QOS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
LATCHED_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                         durability=DurabilityPolicy.TRANSIENT_LOCAL)

_HISTORIES = {'keep_last': HistoryPolicy.KEEP_LAST, 'keep_all': HistoryPolicy.KEEP_ALL}
_RELIABILITIES = {'reliable': ReliabilityPolicy.RELIABLE,
                  'best_effort': ReliabilityPolicy.BEST_EFFORT}
_DURABILITIES = {'volatile': DurabilityPolicy.VOLATILE,
                 'transient_local': DurabilityPolicy.TRANSIENT_LOCAL}


def image_qos(name: str, depth: int = 1) -> QoSProfile:
    """Profile of an image subscription or publisher: only the newest frame counts by default."""
    reliability = ReliabilityPolicy.RELIABLE if name == RELIABLE else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability)


class ImageQos:
    """The profile of an image subscription: image_qos, as changed by qos_overrides."""

    def __init__(self, node, topic: str, setting: str, depth: int = 1):
        """Declare the overrides of a resolved topic; PoseRosError if one is invalid."""
        default = 'best_effort' if setting == SENSOR_DATA else setting
        self._values = _declare(node, topic, 'subscription', image_qos(setting, depth), (
            Parameter('reliability', default, 'Reliability; it replaces image_qos',
                      choices=(AUTO,) + tuple(_RELIABILITIES)),))

    def choose(self, publishers) -> str:
        """Return RELIABLE or SENSOR_DATA; auto: RELIABLE if every publisher is.

        `publishers` are those of get_publishers_info_by_topic.
        """
        wanted = self._values['reliability']
        if wanted == AUTO:
            offered = [info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
                       for info in publishers]
            return RELIABLE if offered and all(offered) else SENSOR_DATA
        return RELIABLE if wanted == 'reliable' else SENSOR_DATA

    def profile(self, chosen: str) -> QoSProfile:
        """Return the profile with the reliability that `choose` returned."""
        return _profile(dict(self._values, reliability='reliable' if chosen == RELIABLE
                             else 'best_effort'))


def create_publisher(node, kind, topic: str, profile: QoSProfile):
    """Create a lifecycle publisher; PoseRosError if a qos_override of it is invalid."""
    values = _declare(node, node.resolve_topic_name(topic), 'publisher', profile, (
        _choice('reliability', _RELIABILITIES, profile.reliability),
        _choice('durability', _DURABILITIES, profile.durability)))
    return node.create_lifecycle_publisher(kind, topic, _profile(values))


def subscription_qos(node, topic: str, profile: QoSProfile) -> QoSProfile:
    """Return a subscription's profile with its overrides; PoseRosError if one is invalid."""
    return _profile(_declare(node, node.resolve_topic_name(topic), 'subscription', profile, (
        _choice('reliability', _RELIABILITIES, profile.reliability),)))


def _declare(node, topic, entity, profile, table) -> Dict[str, Any]:
    table = (_choice('history', _HISTORIES, profile.history),
             Parameter('depth', profile.depth, 'Messages kept with history keep_last', 1, 10000),
             ) + table
    table = tuple(parameter._replace(description='{} (QoS of the {} {})'.format(
        parameter.description, entity, topic)) for parameter in table)
    return declare(node, table, 'qos_overrides.{}.{}.'.format(topic, entity),
                   read_only=lambda parameter: False)  # LiveParameters decides


def _choice(name, choices, default):
    names = {policy: text for text, policy in choices.items()}
    return Parameter(name, names[default], name.capitalize(), choices=tuple(choices))


def _profile(values) -> QoSProfile:
    durability = _DURABILITIES[values.get('durability', 'volatile')]
    return QoSProfile(history=_HISTORIES[values['history']], depth=values['depth'],
                      reliability=_RELIABILITIES[values['reliability']], durability=durability)
