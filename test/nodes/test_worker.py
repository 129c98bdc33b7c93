# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mailboxes keep the newest item only; batches are fair; the worker ends cleanly."""
import collections
import threading
import time

import pytest

from pose_ros.nodes.worker import Worker


def _wait(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_newer_item_replaces_older():
    worker = Worker(lambda batch: None)
    mailbox = worker.add_mailbox('camera')
    assert mailbox.put('old') is False
    assert mailbox.put('new') is True
    assert mailbox.take() == 'new'
    assert mailbox.take() is None


def test_a_batch_holds_the_newest_of_every_full_mailbox():
    worker = Worker(lambda batch: None)
    mailboxes = [worker.add_mailbox(name) for name in 'abcd']
    for number in range(2):
        for mailbox in mailboxes[:3]:
            mailbox.put(number)
    assert worker.next_batch(2) == [('a', 1), ('b', 1)]
    mailboxes[0].put(2)
    # The others come first: a had its turn.
    assert worker.next_batch(4) == [('c', 1), ('a', 2)]
    mailboxes[3].put(3)
    assert worker.next_batch(4) == [('d', 3)]


@pytest.mark.parametrize('periods', [(4, 4, 4, 4), (1, 4, 5, 7), (1, 1, 1, 9)])
@pytest.mark.parametrize('batch', [1, 2, 3, 4])
def test_an_overloaded_worker_serves_four_cameras_alike(batch, periods):
    """Each camera sends every `period` ticks; a frame of the batch takes 3 ticks."""
    worker = Worker(lambda batch: None)
    mailboxes = [worker.add_mailbox(number) for number in range(4)]
    counts, tick, busy_until, oldest = collections.Counter(), 0, 0, 0
    while sum(counts.values()) < 2000:
        for phase, (mailbox, period) in enumerate(zip(mailboxes, periods)):
            if (tick + phase) % period == 0:
                mailbox.put(tick)
        if tick >= busy_until and any(mailbox.full for mailbox in mailboxes):
            taken = worker.next_batch(batch)
            counts.update(owner for owner, _ in taken)
            oldest = max([oldest] + [tick - put for _, put in taken])
            busy_until = tick + 3 * len(taken)
        tick += 1
    shares = [counts[number] / float(sum(counts.values())) for number in range(4)]
    assert all(0.2 <= share <= 0.3 for share in shares), shares
    # An item never waits longer than its camera's period: a newer one replaces it.
    assert oldest <= max(periods)


def test_a_busy_worker_takes_the_newest_next():
    gate, done = threading.Event(), []

    def process(batch):
        done.extend(item for _, item in batch)
        gate.wait(10)
    worker = Worker(process)
    mailbox = worker.add_mailbox('camera')
    worker.start()
    mailbox.put(0)
    _wait(lambda: done == [0])
    replaced = [mailbox.put(item) for item in (1, 2, 3)]
    gate.set()
    _wait(lambda: len(done) == 2)
    worker.stop()
    assert done == [0, 3] and replaced == [False, True, True]


@pytest.mark.parametrize('batch, sizes', [(1, [1, 1, 1]), (2, [2, 1]), (3, [3])])
def test_the_thread_takes_up_to_a_batch(batch, sizes):
    batches = []
    worker = Worker(batches.append, batch)
    for number in range(3):
        worker.add_mailbox(number).put('image')
    worker.start()
    _wait(lambda: sum(map(len, batches)) == 3)
    worker.stop()
    assert [len(found) for found in batches] == sizes


def test_stop_ends_the_thread_and_empties_the_mailboxes():
    done = []
    worker = Worker(done.extend)
    mailbox = worker.add_mailbox('camera')
    mailbox.put('early')
    worker.stop()
    assert mailbox.take() is None and not done
    assert worker.next_batch(1) == []
    worker.start()
    mailbox.put('one')
    _wait(lambda: done == [('camera', 'one')])
    worker.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == 'pose_worker']
    worker.start()  # a node that is activated again
    mailbox.put('two')
    _wait(lambda: done[1:] == [('camera', 'two')])
    worker.stop()
