# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The message types of bags: those of ROS 2 that rosbags knows, and those of msg/."""
import functools
import os
from typing import Tuple

import numpy as np
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

from pose_ros.core.bags.stored import Topic
from pose_ros.core.errors import PoseRosError
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.skeleton_messages import MessageKinds

SKELETONS, TOPOLOGY = 'pose_ros/msg/SkeletonArray', 'pose_ros/msg/SkeletonTopology'
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Where an installation and a checkout have the files of msg/.
_FOLDERS = (os.path.join(_PACKAGE, 'definitions'), os.path.join(_PACKAGE, os.pardir, 'msg'))
_NAMES = ('BoundingBox2D', 'Keypoint', 'Skeleton', 'SkeletonArray', 'SkeletonTopology')


class BagTypes:
    """Messages to bytes (CDR) and back, definitions as text, and their RIHS01 hashes.

    The definitions that come with a bag are never used: rosbags would make code of them.
    """

    def __init__(self):
        """Read msg/; PoseRosError if it is not there."""
        self._store = get_typestore(Stores.LATEST)
        types = {}
        for name in _NAMES:
            types.update(get_types_from_msg(_definition(name), 'pose_ros/msg/' + name))
        self._store.register(types)
        self.kinds = MessageKinds(self.kind('geometry_msgs/msg/Point'), *[
            self.kind('pose_ros/msg/' + name) for name in _NAMES])
        self.kinds = self.kinds._replace(SkeletonTopology=self._topology)

    def kind(self, name: str):
        """Return the class of a message, which takes all its fields as keyword arguments."""
        return self._store.types[name]

    def _topology(self, limbs, mirror, **fields):
        """Make a SkeletonTopology: numbers in a message of rosbags are arrays."""
        return self.kind(TOPOLOGY)(limbs=np.array(limbs, np.uint8),
                                   mirror=np.array(mirror, np.uint8), **fields)

    def decode(self, data: bytes, kind: str):
        """Return a message; PoseRosError if these bytes are none of this type."""
        try:
            return self._store.deserialize_cdr(memoryview(data), kind)
        except Exception as error:  # it depends on the bytes which one
            raise PoseRosError('its {} bytes are no {}: {}'.format(len(data), kind, error))

    def encode(self, message, kind: str) -> bytes:
        """Return the bytes of a message."""
        return bytes(self._store.serialize_cdr(message, kind))

    @functools.lru_cache(maxsize=None)  # noqa: B019 - there is one object per process
    def described(self, kind: str) -> Tuple[str, str]:
        """Return the definition of a type and its hash; ('', '') for an unknown one."""
        if kind not in self._store.fielddefs:
            return '', ''
        return self._store.generate_msgdef(kind, ros_version=2)[0], self._store.hash_rihs01(kind)

    def completed(self, topic: Topic) -> Topic:
        """Fill in the definition and hash of a topic, where its bag has none."""
        text, digest = self.described(topic.type)
        if not topic.definition:
            return topic._replace(definition=text, digest=digest)
        return topic._replace(digest=topic.digest or digest or _digest(topic))


def _digest(topic: Topic) -> str:
    """Return the hash of a type by the definition in its bag, '' if that is no valid one."""
    store = get_typestore(Stores.EMPTY)
    try:
        # Only as data: Typestore.register would make code of it.
        store.fielddefs.update(get_types_from_msg(topic.definition, topic.type))
        return store.hash_rihs01(topic.type)
    except Exception:  # anything, for an invalid text
        return ''


def _definition(name: str) -> str:
    for folder in _FOLDERS:
        path = os.path.join(folder, name + '.msg')
        if os.path.isfile(path):
            return read_file(path, LARGEST_CARD).decode('utf-8')
    raise PoseRosError('the message definitions of pose_ros are missing: there is no {}.msg in '
                       '{}; install pose_ros again'.format(name, ' or '.join(_FOLDERS)))
