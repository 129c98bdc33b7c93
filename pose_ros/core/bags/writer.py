# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write a bag, whole or not at all: one .mcap or .db3 file, or a folder with metadata.yaml."""
import os
import re
import shutil
import sqlite3
import tempfile
from typing import Any, Dict

from rosbags.interfaces import (Qos, QosDurability, QosHistory, QosLiveliness, QosReliability,
                                QosTime)
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from pose_ros.core.bags.reader import ENDINGS
from pose_ros.core.bags.stored import Topic
from pose_ros.core.errors import cannot_write, OutputError
from pose_ros.core.files import check_writable

STORAGES = ('mcap', 'sqlite3')
_PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_VERSION: Any = 8  # of metadata.yaml; Humble and later read it
_PREFIX = '.pose_ros_'
_TEMPORARY = re.compile(re.escape(_PREFIX) + r'\w{8}\Z')  # of mkdtemp
_NEVER = QosTime(9223372036, 854775807)


def remove_leftover(path: str, name: str) -> None:
    """Delete the folder that a killed run of a writer to `path` left, by its name."""
    folder = os.path.join(os.path.dirname(os.path.realpath(path)), name)
    if _TEMPORARY.match(name) and os.path.isdir(folder) and not os.path.islink(folder):
        shutil.rmtree(folder, ignore_errors=True)


def reliable(depth: int, latched: bool = False):
    """Return the QoS profile of a topic that keeps its last messages, as the node offers it."""
    durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
    return Qos(QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, durability, _NEVER, _NEVER,
               QosLiveliness.AUTOMATIC, _NEVER, False)


def check_place(path: str) -> None:
    """Raise OutputError unless a new bag can be written at a path: a file, or a new folder."""
    try:
        if not path.lower().endswith(ENDINGS) and os.path.lexists(path):
            raise OutputError('there is already a {}: remove it, or name another '
                              'folder'.format(path))
        check_writable(path)
    except OSError as error:
        raise cannot_write(path, error)


def storage_of(path: str, storage: str = '') -> str:
    """Return the storage of a bag by the ending of a file, else `storage`, else mcap."""
    by_ending = dict(zip(ENDINGS, STORAGES)).get(os.path.splitext(path)[1].lower(), '')
    if by_ending and storage and by_ending != storage:
        raise OutputError('cannot write {} as {}: its ending is that of {}'.format(
            path, storage, by_ending))
    return by_ending or storage or STORAGES[0]


class BagWriter:
    """Writes messages to a new bag, which appears under its name when the block ends.

    Without an ending of ENDINGS `path` becomes a folder, which must not exist. After an error
    nothing is left. OutputError if something cannot be written. `temporary` is the name of the
    folder in which it is written.
    """

    def __init__(self, path: str, storage: str = ''):
        """Begin a bag beside its place, in a folder with a random name."""
        self._path = path = path.rstrip(os.sep)
        plugin = _PLUGINS[storage_of(path, storage)]
        self._is_file = path.lower().endswith(ENDINGS)
        check_place(path)
        try:
            folder = os.path.dirname(os.path.realpath(path))
            self._folder = tempfile.mkdtemp(prefix=_PREFIX, dir=folder)
        except OSError as error:
            raise cannot_write(path, error)
        self.temporary = os.path.basename(self._folder)
        name = os.path.splitext(os.path.basename(path))[0] if self._is_file else \
            os.path.basename(path)
        self._bag = os.path.join(self._folder, name)
        self._writer = Writer(self._bag, version=_VERSION, storage_plugin=plugin)
        self._connections: Dict[str, Any] = {}
        self._try(self._writer.open)

    def add_topic(self, topic: Topic) -> None:
        """Begin a topic; its definition and digest must be known."""
        self._connections[topic.name] = self._try(
            self._writer.add_connection, topic.name, topic.type, msgdef=topic.definition,
            rihs01=topic.digest, offered_qos_profiles=topic.qos)

    def write(self, topic: str, time: int, data: bytes) -> None:
        """Write the bytes of a message of a topic, recorded at a time [ns]."""
        self._try(self._writer.write, self._connections[topic], time, data)

    def __enter__(self):
        """Return the writer itself."""
        return self

    def __exit__(self, kind, *_):
        """Move the bag to its place, or delete it after an error."""
        try:
            if kind is None:
                self._try(self._writer.close)
                self._try(self._move)
            else:
                self._writer.abort()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _move(self):
        if not self._is_file:
            os.rename(self._bag, os.path.realpath(self._path))
            return
        name, = [name for name in os.listdir(self._bag) if name.lower().endswith(ENDINGS)]
        os.replace(os.path.join(self._bag, name), os.path.realpath(self._path))

    def _try(self, step, *arguments, **options):
        try:
            return step(*arguments, **options)
        except (OSError, sqlite3.Error, WriterError) as error:
            raise cannot_write(self._path, error)
