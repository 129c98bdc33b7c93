# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag holds: topics, and messages as bytes."""
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

IMAGE, COMPRESSED_IMAGE = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'


class Topic(NamedTuple):
    """One topic of a bag.

    `type` is PACKAGE/msg/NAME. `messages`: how many there are. `definition` is the text of the
    message and of those in it, '' if the bag has none; `digest` the RIHS01 hash of the type, ''
    if unknown. `qos` are the profiles of rosbags.
    """

    name: str
    type: str
    messages: int
    definition: str = ''
    digest: str = ''
    qos: Tuple[Any, ...] = ()


class Stored(NamedTuple):
    """One message: its topic, the time at which it was recorded [ns], and its bytes (CDR)."""

    topic: str
    time: int
    data: bytes


def merged_topics(topics: Sequence[Topic]) -> List[Topic]:
    """Join the topics of several files or publishers: one per name, with all that is known."""
    found: Dict[str, Topic] = {}
    for topic in topics:
        before = found.get(topic.name)
        if before is None:
            found[topic.name] = topic
            continue
        first, second = (before, topic) if before.definition else (topic, before)
        found[topic.name] = first._replace(
            messages=before.messages + topic.messages, digest=first.digest or second.digest,
            qos=first.qos or second.qos)
    return list(found.values())
