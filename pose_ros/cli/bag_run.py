# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One run of `pose-ros bag`, from the bag that is read to the one that is written."""
import argparse
import itertools
import os
import sys

from pose_ros.cli.run import check_run_outputs, INTERRUPTED, prepared
from pose_ros.core.bags.cameras import calibrated_messages, find_cameras
from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.journal import Entry, Journal
from pose_ros.core.bags.reader import Bag, BagError
from pose_ros.core.bags.results import BagResults
from pose_ros.core.bags.writer import BagWriter, check_place, remove_leftover, storage_of
from pose_ros.core.command import progress_bar
from pose_ros.core.command_options import load_estimator, model_inputs
from pose_ros.core.draw import draw_people
from pose_ros.core.errors import ImageError, OutputError, shown

DAMAGED = 3
_ALL = 'all'


def process_bag(args) -> int:
    """Process the images of args.input; return the exit code."""
    args.output = args.output.rstrip(os.sep)
    try:
        storage_of(args.output, args.storage)
    except OutputError as error:
        raise argparse.ArgumentError(None, 'argument --storage: {}'.format(error))
    journal_path = args.output + '.journal'
    with Bag(args.input) as bag:
        try:
            work = _process(args, bag, journal_path)
        except _Interrupted:
            _tell(args, ['interrupted; the same command continues, by {}'.format(journal_path)])
            return INTERRUPTED
        _tell(args, bag.notes)
        for fault in bag.damage:
            print(shown('pose-ros: the bag is damaged: ' + fault), file=sys.stderr)
        if bag.damage:
            return DAMAGED
    return 1 if work.failures else 0


class _Interrupted(Exception):
    """The user has stopped the run: no output is written."""


def _process(args, bag, journal_path):
    """Write the outputs; return the Run."""
    check_run_outputs(args, [args.input] + bag.files, {'the journal of --output': journal_path})
    check_place(args.output)
    types = BagTypes()
    cameras = find_cameras(bag, args.topics, types, args.max_pixels)
    kept = _kept_topics(bag, args.keep)
    estimator = load_estimator(args)
    bar = progress_bar(_frame_count(args, bag, cameras), args.quiet)
    key = _key(args, bag, cameras, estimator)
    with Journal(journal_path, key, args.restart) as journal:
        with prepared(args, estimator, None, bar) as work:
            _tell(args, _journal_notes(journal))
            draw = _drawer(args, estimator) if args.overlay else None
            for name in journal.folders:
                remove_leftover(args.output, name)
            with BagWriter(args.output, args.storage) as writer:
                journal.note_folder(writer.temporary)
                results = BagResults(writer, types, estimator.topology, draw)
                results.begin(cameras, kept)
                _tell(args, ['left out ' + text for text in results.left_out])
                _BagRun(args, estimator, work, journal, cameras, results).read(bag, kept)
                if work.interrupted:
                    raise _Interrupted
        journal.remove()
    return work


def _frame_count(args, bag, cameras):
    """Return how many frames will be processed, None if unknown."""
    topics = {camera.topic for camera in cameras}
    count = sum(topic.messages for topic in bag.topics if topic.name in topics)
    return min(filter(None, (count, args.max_frames)), default=None)


class _BagRun:
    """Takes the messages of a bag one by one."""

    def __init__(self, args, estimator, work, journal, cameras, results):
        self._most, self._overlay = args.max_frames, args.overlay
        self._estimator, self._work, self._journal = estimator, work, journal
        self._results, self._index = results, itertools.count()
        self._cameras = cameras

    def read(self, bag, kept):
        """Process all messages, up to --max-frames or a signal."""
        others = [topic.name for topic in kept]
        for camera, stored in calibrated_messages(bag, self._cameras, others):
            self._results.keep(stored)
            if camera is not None:
                self._process(camera, stored)
                if self._work.interrupted or self._work.frames == self._most:
                    return

    def _process(self, camera, stored):
        index, place = next(self._index), [stored.topic, stored.time]
        entry = self._journal.take(place)
        try:
            frame, header, found = self._found(camera, stored, index, entry)
        except ImageError as error:  # any other error ends the run, and leaves the journal
            if entry is None:
                self._journal.add(place, Entry(error=str(error)))
            self._work.fail(error)
            return
        if entry is None:
            self._journal.add(place, Entry(found, frame.size))
        people = self._estimator.follow([frame], [found])[0]
        self._work.take(frame, people, entry is None)
        self._results.add(camera, stored, header, frame, people)

    def _found(self, camera, stored, index, entry):
        """Return the frame of a message, its header, and the people of the networks."""
        if entry is not None and entry.error:
            raise ImageError(entry.error)
        message = camera.message(stored)
        if entry is not None and not self._overlay:
            return camera.blank(message, index, *entry.size), message.header, entry.people
        frame = camera.frame(message, index)
        if entry is not None:
            return frame, message.header, entry.people
        return frame, message.header, self._estimator.find([frame])[0]


def _kept_topics(bag, names):
    if _ALL in names:
        return bag.topics
    known = {topic.name: topic for topic in bag.topics}
    for name in names:
        if name not in known:
            raise BagError('{} has no topic {} to keep; its topics: {}'.format(
                bag.path, name, ', '.join(sorted(known))))
    return [known[name] for name in dict.fromkeys(names)]


def _key(args, bag, cameras, estimator):
    """Return what has to be the same for a run to continue: input, networks, settings."""
    files = [path for path in bag.files + model_inputs(args) if os.path.isfile(path)]
    stamps = [(os.path.abspath(path), os.stat(path).st_size, os.stat(path).st_mtime_ns)
              for path in files]
    return {'files': stamps, 'topics': [camera.topic for camera in cameras],
            'engines': [network.engine.describe() for network in estimator.networks],
            'size': args.size, 'max_pixels': args.max_pixels, 'settings': estimator.settings}


def _drawer(args, estimator):
    def draw(frame, people):
        return draw_people(frame.image.copy(), people, estimator.topology, not args.no_labels)
    return draw


def _journal_notes(journal):
    if journal.is_other:
        return ['{} was that of another run, or of other options; it begins anew'.format(
            journal.path)]
    return ['continues after {} frames of an earlier run'.format(journal.found)] \
        if journal.found else []


def _tell(args, lines):
    for line in lines if not args.quiet else ():
        print(shown(line), file=sys.stderr)
