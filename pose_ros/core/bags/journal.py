# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The journal of a long run: what the networks found, frame by frame, for a run that continues.

A text file: a header with the key of the run, then one line per frame, each with its CRC. A line
is written when its frame is done, so that a killed process loses at most the frame it was at.
"""
import binascii
import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import cannot_write, OutputError
from pose_ros.core.people import make_people, People
from pose_ros.core.reading import LARGEST_VIDEO, MIB, open_regular

_MARK = 'pose_ros journal 1'
_LONGEST_LINE = 64 * MIB


class Entry(NamedTuple):
    """What became of one image: the people in it and its size [px], or an error."""

    people: Optional[People] = None
    size: Tuple[int, int] = (0, 0)
    error: str = ''


class Journal:
    """The journal of one run; a context manager, which closes the file.

    `found`: how many frames of an earlier run it holds. `is_other`: whether it was that of a run
    with another key, and begins anew. `folders`: what killed runs noted (note_folder).
    """

    def __init__(self, path: str, key: Dict[str, Any], restart: bool = False):
        """Open or begin the file; OutputError if it is no journal, or cannot be written."""
        self.path, self.found, self.is_other = path, 0, False
        self.folders: List[str] = []
        self._key = json.loads(json.dumps(key))
        try:
            end = self._read()
            if restart:
                end = self.found = 0
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
                                 0o666)
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
        except OSError as error:
            raise cannot_write(path, error)
        self._old = open_regular(path, LARGEST_VIDEO)
        self._left = self.found
        if not end:
            self._write({'mark': _MARK, 'key': self._key})
        self._old.readline()

    def take(self, place: Any) -> Optional[Entry]:
        """Return what an earlier run wrote of the next frame, None if it did not come so far.

        place: where the frame stands in its source; OutputError if it is not the same.
        """
        if not self._left:
            return None
        self._left -= 1
        content = _parsed(self._old.readline())
        while 'folder' in content:
            content = _parsed(self._old.readline())
        if content['place'] != json.loads(json.dumps(place)):
            raise OutputError('{} does not belong to this input: remove it'.format(self.path))
        if 'error' in content:
            return Entry(error=content['error'])
        return Entry(_people(content['people']), tuple(content['size']))

    def add(self, place: Any, entry: Entry) -> None:
        """Write what became of a frame; OutputError if that fails."""
        content: Dict[str, Any] = {'place': place}
        if entry.people is None:
            content['error'] = entry.error
        else:
            content.update(size=entry.size, people=_lists(entry.people))
        self._write(content)

    def note_folder(self, name: str) -> None:
        """Write the name of a temporary folder that this run will leave if it is killed."""
        self._write({'folder': name})

    def remove(self) -> None:
        """Delete the file: the run is complete."""
        os.remove(self.path)

    def __enter__(self):
        """Return the journal itself."""
        return self

    def __exit__(self, *_):
        """Close the file."""
        self._old.close()
        os.close(self._file)

    def _read(self) -> int:
        """Count the valid lines; return where they end, 0 without any of this key."""
        if not os.path.lexists(self.path):
            return 0
        with open_regular(self.path, LARGEST_VIDEO) as stream:
            header = _parsed(stream.readline(_LONGEST_LINE))
            if header.get('mark') != _MARK:
                if not os.fstat(stream.fileno()).st_size:
                    return 0
                raise OutputError('{} exists, and is no journal of an earlier run: move it '
                                  'away'.format(self.path))
            end = self._read_frames(stream)
        self.is_other = header['key'] != self._key
        if self.is_other:
            end = self.found = 0
        return end

    def _read_frames(self, stream) -> int:
        end = stream.tell()
        for line in iter(lambda: stream.readline(_LONGEST_LINE), b''):
            content = _parsed(line)
            if not content:
                break
            end = stream.tell()
            if 'folder' in content:
                self.folders.append(str(content['folder']))
            else:
                self.found += 1
        return end

    def _write(self, content):
        text = json.dumps(content).encode()
        line = b'%08x %s\n' % (binascii.crc32(text), text)
        try:
            while line:
                line = line[os.write(self._file, line):]
        except OSError as error:
            raise cannot_write(self.path, error)


def _parsed(line: bytes) -> Dict[str, Any]:
    """Return the content of a line, {} if it is not whole."""
    check, _, text = line.rstrip(b'\n').partition(b' ')
    if not line.endswith(b'\n') or b'%08x' % binascii.crc32(text) != check:
        return {}
    try:
        content = json.loads(text.decode())
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _lists(people: People) -> Dict[str, Any]:
    """Return people as lists; a float32 is the same after it was text."""
    fields = {name: getattr(people, name).tolist() for name in people._fields
              if name not in ('parts', 'part_positions')}
    return dict(fields, size=people.keypoints.shape[1],
                parts={name: [part.shape[1], part.tolist()]
                       for name, part in people.parts.items()})


def _people(content: Dict[str, Any]) -> People:
    keypoints = np.array(content['keypoints'], np.float32).reshape(-1, content['size'], 3)
    count = len(keypoints)
    return make_people(
        keypoints, np.array(content['scores'], np.float32), content['track_ids'],
        np.array(content['boxes'], np.float32).reshape(count, 4),
        np.array(content['positions'], np.float32).reshape(keypoints.shape),
        {name: np.array(part, np.float32).reshape(count, size, 3)
         for name, (size, part) in content['parts'].items()})
