# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The bag that is written: skeletons, their topology, drawings, and topics of the input."""
from typing import Callable, Collection, List, Optional, Sequence

import numpy as np

from pose_ros.core.bags.cameras import BagCamera
from pose_ros.core.bags.definitions import BagTypes, SKELETONS, TOPOLOGY
from pose_ros.core.bags.stored import COMPRESSED_IMAGE, Stored, Topic
from pose_ros.core.bags.writer import BagWriter, reliable
from pose_ros.core.compressed import encode_jpeg_bytes, JPEG_FORMAT
from pose_ros.core.frame import Frame
from pose_ros.core.people import People
from pose_ros.core.skeleton_messages import skeleton_array, skeleton_topology
from pose_ros.core.topology import Topology

_TOPOLOGY_TOPIC = '/pose/topology'
_QUALITY = 90  # of the JPEGs of the overlay


class BagResults:
    """Writes what is found to a bag, each message at the time of its image.

    `left_out` lists topics that were to be kept, but cannot be, each with the reason.
    """

    def __init__(self, writer: BagWriter, types: BagTypes, topology: Topology,
                 draw: Optional[Callable[[Frame, People], np.ndarray]] = None):
        """Take the writer, and what draws the overlay; None for no overlay."""
        self._writer, self._types, self._topology, self._draw = writer, types, topology, draw
        self._begun = False
        self._kept: Collection[str] = ()
        self.left_out: List[str] = []

    def begin(self, cameras: Sequence[BagCamera], kept: Sequence[Topic]) -> None:
        """Begin the topics of the results, and those of the input that are kept."""
        names = {_TOPOLOGY_TOPIC}
        self._add(_TOPOLOGY_TOPIC, TOPOLOGY, reliable(1, latched=True))
        for camera in cameras:
            names.add(camera.results + 'skeletons')
            self._add(camera.results + 'skeletons', SKELETONS, reliable(10))
            if self._draw:
                names.add(_overlay(camera))
                self._add(_overlay(camera), COMPRESSED_IMAGE, reliable(1))
        self._kept = [topic.name for topic in kept if self._keep(topic, names)]

    def keep(self, stored: Stored) -> None:
        """Copy a message, if its topic is kept."""
        if stored.topic in self._kept:
            self._writer.write(*stored)

    def add(self, camera: BagCamera, stored: Stored, header, frame: Frame,
            people: People) -> None:
        """Write the people of an image: the header is that of the image."""
        kinds = self._types.kinds
        if not self._begun:
            self._begun = True
            self._write(_TOPOLOGY_TOPIC, stored.time, skeleton_topology(kinds, self._topology),
                        TOPOLOGY)
        self._write(camera.results + 'skeletons', stored.time, skeleton_array(
            kinds, header, people, self._topology, *frame.size), SKELETONS)
        if self._draw:
            data = encode_jpeg_bytes(self._draw(frame, people), _QUALITY)
            self._write(_overlay(camera), stored.time, self._types.kind(COMPRESSED_IMAGE)(
                header=header, format=JPEG_FORMAT, data=data), COMPRESSED_IMAGE)

    def _add(self, name, kind, *qos):
        text, digest = self._types.described(kind)
        self._writer.add_topic(Topic(name, kind, 0, text, digest, qos))

    def _keep(self, topic, names):
        topic = self._types.completed(topic)
        if topic.name in names:
            reason = 'the new results have this name'
        elif not (topic.definition and topic.digest):
            reason = 'the bag has no valid definition of {}'.format(topic.type)
        else:
            self._writer.add_topic(topic)
            return True
        self.left_out.append('{}: {}'.format(topic.name, reason))
        return False

    def _write(self, name, time, message, kind):
        self._writer.write(name, time, self._types.encode(message, kind))


def _overlay(camera):
    return camera.results + 'overlay/compressed'
