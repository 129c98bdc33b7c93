# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A bag that is not damaged, or one of its files, through rosbags."""
from pathlib import Path
from typing import Collection, Iterator, List

from rosbags.rosbag2 import Reader

from pose_ros.core.bags.stored import merged_topics, Stored, Topic


class WholeFile:
    """A folder with metadata.yaml, or one file; any exception tells that it is damaged.

    rosbags never runs code for reading: definitions in a bag stay text.
    """

    faults = ()

    def __init__(self, path: str, files: List[str]):
        """Open the bag; `files` are those that hold its messages."""
        self.path, self.files = path, files
        self._reader = Reader(Path(path))
        self._reader.open()
        self.topics = merged_topics([_topic(each) for each in self._reader.connections])

    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Yield the messages of the named topics in the order of time."""
        wanted = [each for each in self._reader.connections if each.topic in topics]
        if not wanted:
            return
        for connection, time, data in self._reader.messages(wanted):
            yield Stored(connection.topic, time, data)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()


def _topic(connection) -> Topic:
    return Topic(connection.topic, connection.msgtype, connection.msgcount,
                 connection.msgdef.data, connection.digest, tuple(connection.ext[1]))
