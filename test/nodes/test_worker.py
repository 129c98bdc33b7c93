# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mailboxes keep the newest item only, and the worker serves them in turn."""
import threading
import time

from pose_ros.nodes.worker import Worker


def _wait(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_newer_item_replaces_older():
    worker = Worker(lambda mailbox, item: None)
    mailbox = worker.add_mailbox()
    assert mailbox.put('old') is False
    assert mailbox.put('new') is True
    assert mailbox.take() == 'new'
    assert mailbox.take() is None


def test_a_busy_worker_takes_the_newest_next():
    gate, done = threading.Event(), []

    def process(_, item):
        done.append(item)
        gate.wait(10)
    worker = Worker(process)
    mailbox = worker.add_mailbox()
    worker.start()
    mailbox.put(0)
    _wait(lambda: done == [0])
    replaced = [mailbox.put(item) for item in (1, 2, 3)]
    gate.set()
    _wait(lambda: len(done) == 2)
    worker.stop()
    assert done == [0, 3] and replaced == [False, True, True]


def test_two_cameras_take_turns():
    gate, done = threading.Event(), []

    def process(mailbox, item):
        gate.wait(10)
        done.append((mailbox, item))
    worker = Worker(process)
    front, rear = worker.add_mailbox(), worker.add_mailbox()
    worker.start()
    for round_number in range(3):
        front.put(round_number)
        rear.put(round_number)
        gate.set()
        _wait(lambda: len(done) == 2 * (round_number + 1))
        gate.clear()
    gate.set()
    worker.stop()
    assert [mailbox for mailbox, _ in done].count(front) == 3
    assert all(done[k][0] is not done[k + 1][0] for k in (0, 2, 4))


def test_stop_ends_the_thread_and_empties_the_mailboxes():
    done = []
    worker = Worker(lambda mailbox, item: done.append(item))
    mailbox = worker.add_mailbox()
    mailbox.put('early')
    worker.stop()
    assert mailbox.take() is None and not done
    worker.start()
    mailbox.put('one')
    _wait(lambda: done == ['one'])
    worker.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == 'pose_worker']
    worker.start()  # a node that is activated again
    mailbox.put('two')
    _wait(lambda: done == ['one', 'two'])
    worker.stop()
