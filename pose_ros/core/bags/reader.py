# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read a bag: a folder with metadata.yaml, or one .mcap or .db3 file, whole or damaged."""
import contextlib
import os
from typing import Any, Collection, Iterator, List, Optional, Set

from pose_ros.core.bags.salvage import salvaged
from pose_ros.core.bags.stored import merged_topics, Stored
from pose_ros.core.bags.whole import WholeFile
from pose_ros.core.errors import PoseRosError
from pose_ros.core.files import natural_key
from pose_ros.core.reading import check_regular, LARGEST_VIDEO, LARGEST_XML

ENDINGS = ('.mcap', '.db3')
_METADATA = 'metadata.yaml'


class BagError(PoseRosError):
    """A bag cannot be read."""


class Bag:
    """The topics and messages of a bag; a context manager.

    `damage` lists what is wrong with its files; what can be read of them is still yielded. It
    grows while messages are read. `notes` are facts that do no harm. `files` hold the messages.
    """

    def __init__(self, path: str):
        """Open a bag; BagError if there is none, or if nothing of it can be read."""
        self.path = path
        self.damage: List[str] = []
        self.notes: List[str] = []
        self._parts: List[Any] = []
        self.files = _files_of(path)
        try:
            self._open()
            self.topics = merged_topics([topic for part in self._parts for topic in part.topics])
            if not self.topics:
                raise BagError('the bag {} holds no topics of ROS 2{}'.format(
                    path, ''.join('; ' + fault for fault in self.damage)))
        except BaseException:
            self.close()
            raise

    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Yield the messages of the named topics in the order of time.

        Those of a damaged file come in the order of the file, without what is lost.
        """
        last = -1
        seen: Set[str] = set()
        for part in self._parts:
            try:
                for message in part.messages(topics):
                    if message.time > last:
                        last, seen = message.time, set()
                    seen.add(message.topic)
                    yield message
                self._blame(*part.faults)
                continue
            except Exception as error:  # libraries raise anything for damaged bytes
                self._blame(_fault(part.path, error))
            for path in part.files:
                for message in self._salvaged(path, topics):
                    if message.time > last or message.time == last and message.topic not in seen:
                        yield message

    def first(self, topic: str) -> Optional[Stored]:
        """Return the first message of a topic, None without any."""
        return next(self.messages([topic]), None)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            with contextlib.suppress(Exception):
                part.close()

    def __enter__(self):
        """Return the bag itself."""
        return self

    def __exit__(self, *_):
        """Close the files."""
        self.close()

    def _open(self):
        fault = ''
        if os.path.isdir(self.path):
            try:
                self._parts = [WholeFile(self.path, self.files)]
                return
            except FileNotFoundError:
                self.notes.append('{} has no {}'.format(self.path, _METADATA))
            except Exception as error:
                fault = _fault(self.path, error)
        for path in self.files:
            try:
                self._parts.append(WholeFile(path, [path]))
            except Exception as error:
                self._blame(_fault(path, error))
                self._parts.append(salvaged(path))
                self._blame(*self._parts[-1].faults)
        if fault and not self.damage:  # it is about the metadata
            self._blame(fault)

    def _salvaged(self, path, topics):
        part = salvaged(path)
        yield from part.messages(topics)
        self._blame(*part.faults)

    def _blame(self, *faults):
        self.damage += [fault for fault in faults if fault not in self.damage]


def _files_of(path: str) -> List[str]:
    """Return the files that hold the messages; BagError if the path is no bag."""
    if not os.path.exists(path):
        raise BagError('there is no file or folder {!r}; check the path'.format(path))
    files = [path]
    if os.path.isdir(path):
        names = sorted(os.listdir(path), key=natural_key)
        files = [os.path.join(path, name) for name in names if name.lower().endswith(ENDINGS)]
        if not files and _METADATA not in names:
            raise BagError('the folder {} is no bag: it holds neither {} nor a file that ends in '
                           '{}'.format(path, _METADATA, ' or '.join(ENDINGS)))
    elif not path.lower().endswith(ENDINGS):
        raise BagError('{} is no bag of ROS 2: its name must end in {}, or name the folder with '
                       'its {}'.format(path, ' or '.join(ENDINGS), _METADATA))
    for name in files:
        check_regular(name, LARGEST_VIDEO)
    with contextlib.suppress(FileNotFoundError):
        check_regular(os.path.join(path, _METADATA) if os.path.isdir(path) else path,
                      LARGEST_XML if os.path.isdir(path) else LARGEST_VIDEO)
    return files


def _fault(path, error):
    return '{}: {}'.format(path, ' '.join(str(error).split()) or type(error).__name__)
