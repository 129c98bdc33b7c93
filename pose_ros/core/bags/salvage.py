# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What can be read of damaged bags: cut files, bad chunks and pages, broken indexes.

MCAP files are read from the start, record by record, without their index; SQLite files row by
row. Both end at the first place from which nothing can be read.
"""
import abc
import contextlib
import sqlite3
from typing import Collection, Dict, Iterator, List, Set
from urllib.parse import quote

from mcap.records import Channel, Chunk, DataEnd, Header, Message, Schema
from mcap.stream_reader import breakup_chunk, StreamReader

from pose_ros.core.bags.stored import Stored, Topic
from pose_ros.core.reading import check_regular, GIB, LARGEST_VIDEO, open_regular

_LARGEST_RECORD = GIB
_STEPS = 24  # rows that are skipped after bad pages: 1, 2, 4, ...


class SalvagedFile(abc.ABC):
    """A damaged file. `faults` grows while it is read."""

    def __init__(self, path: str):
        """Look for topics in all that can be read; OSError unless it is a regular file."""
        check_regular(path, LARGEST_VIDEO)
        self.path, self.files = path, [path]
        self.faults: List[str] = []
        self.topics: List[Topic] = []
        self._scan()

    @abc.abstractmethod
    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Yield the readable messages of the named topics in the order of the file."""

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    @abc.abstractmethod
    def _scan(self) -> None:
        """Fill `topics` and `faults`."""

    def _blame(self, where, error):
        fault = '{} is damaged {}: {}'.format(
            self.path, where, ' '.join(str(error).split()) or type(error).__name__)
        if fault not in self.faults:
            self.faults.append(fault)


class SalvagedMcap(SalvagedFile):
    """An MCAP file; its messages are in the order in which they were recorded."""

    def messages(self, topics):
        """See SalvagedFile.messages."""
        channels: Dict[int, str] = {}
        for record in self._records():
            if isinstance(record, Channel):
                channels[record.id] = record.topic
            elif isinstance(record, Message) and channels.get(record.channel_id) in topics:
                yield Stored(channels[record.channel_id], record.log_time, record.data)

    def _scan(self):
        schemas, channels, counts = {}, {}, {}
        for record in self._records():
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message):
                counts[record.channel_id] = counts.get(record.channel_id, 0) + 1
        for number, channel in channels.items():
            schema = schemas.get(channel.schema_id)
            if channel.message_encoding == 'cdr' and schema is not None:
                self.topics.append(Topic(channel.topic, schema.name, counts.get(number, 0),
                                         schema.data.decode('utf-8', 'replace')))

    def _records(self):
        """Yield the records of the data section, those in chunks too."""
        with open_regular(self.path, LARGEST_VIDEO) as stream:
            records = StreamReader(stream, emit_chunks=True,
                                   record_size_limit=_LARGEST_RECORD).records
            while True:
                place = stream.tell()
                try:
                    record = next(records)
                except Exception as error:
                    self._blame('from byte {} on'.format(place), error)
                    return
                if isinstance(record, DataEnd):
                    return  # the index follows, which is not needed
                yield from self._parts(record, place)

    def _parts(self, record, place):
        if not isinstance(record, Chunk):
            return [] if isinstance(record, Header) else [record]
        try:
            if record.uncompressed_size > _LARGEST_RECORD:
                raise ValueError('a chunk of {} bytes'.format(record.uncompressed_size))
            return breakup_chunk(record, validate_crc=True)
        except Exception as error:
            self._blame('at byte {}'.format(place), error)
            return []


class SalvagedSqlite(SalvagedFile):
    """A SQLite file; its messages are in the order in which they were recorded."""

    def messages(self, topics):
        """See SalvagedFile.messages."""
        with self._opened() as database:
            names = dict(self._rows(database, 'SELECT id, name FROM topics'))
            last, step = 0, 0
            seen: Set[int] = set()
            while step < _STEPS:
                try:
                    for row, number, time, data in database.execute(
                            'SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? '
                            'ORDER BY id', (last,)):
                        if row in seen:  # pages that lead back to earlier ones
                            raise sqlite3.DatabaseError('its pages are in disorder')
                        seen.add(row)
                        last, step = max(last, row), 0
                        if names.get(number) in topics and isinstance(data, bytes):
                            yield Stored(names[number], int(time), data)
                    return
                except (sqlite3.Error, TypeError, ValueError) as error:
                    if not step:
                        self._blame('after message {}'.format(last), error)
                    last, step = last + 2 ** step, step + 1

    def _scan(self):
        with self._opened() as database:
            rows = self._rows(database, 'SELECT name, type FROM topics')
            texts = dict(self._rows(database, 'SELECT topic_type, encoded_message_definition '
                                              'FROM message_definitions', True))
            self.topics = [Topic(name, kind, 0, texts.get(kind, '')) for name, kind in rows]

    def _rows(self, database, query, optional=False):
        try:
            return database.execute(query).fetchall()
        except sqlite3.Error as error:
            if not optional:
                self._blame('in its tables', error)
            return []

    @contextlib.contextmanager
    def _opened(self):
        database = sqlite3.connect('file:{}?mode=ro&immutable=1'.format(quote(self.path)),
                                   uri=True)
        try:
            # Else SQLite opens no file that is shorter than its header says.
            with contextlib.suppress(sqlite3.Error):
                database.execute('PRAGMA writable_schema=ON')
            yield database
        finally:
            database.close()


def salvaged(path: str) -> SalvagedFile:
    """Open a damaged file of a bag, .mcap or .db3."""
    return (SalvagedMcap if path.lower().endswith('.mcap') else SalvagedSqlite)(path)
