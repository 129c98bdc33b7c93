# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One-slot mailboxes and the one thread that empties them: nothing ever queues."""
import threading
from typing import Any, Callable, List, Optional, Sequence, Tuple


class Mailbox:
    """Holds the newest item of one owner (a camera); a newer one replaces it."""

    def __init__(self, owner: Any, condition: threading.Condition):
        """Share the condition that wakes the worker."""
        self.owner = owner
        self._condition = condition
        self._item: Optional[Any] = None

    @property
    def full(self) -> bool:
        """Whether an item waits."""
        return self._item is not None

    def put(self, item: Any) -> bool:
        """Leave an item; True if it replaced one that was not taken."""
        with self._condition:
            replaced = self._item is not None
            self._item = item
            self._condition.notify()
        return replaced

    def take(self) -> Optional[Any]:
        """Take the item out, None if there is none."""
        with self._condition:
            item, self._item = self._item, None
        return item


class Worker:
    """A thread that hands batches [(owner, item), ...] to `process`, one batch at a time.

    One worker serves one engine, and any number of cameras through a mailbox each.
    """

    def __init__(self, process: Callable[[Sequence[Tuple[Any, Any]]], None], batch: int = 1):
        """Take the function to call, which must not raise, and the most items of one batch."""
        self._process, self._batch = process, batch
        # Reentrant: Mailbox.take is also called while it is held.
        self._condition = threading.Condition(threading.RLock())
        self._mailboxes: List[Mailbox] = []
        self._thread: Optional[threading.Thread] = None
        self._running = True

    def add_mailbox(self, owner: Any) -> Mailbox:
        """Return a new mailbox that this worker empties."""
        mailbox = Mailbox(owner, self._condition)
        with self._condition:
            self._mailboxes.append(mailbox)
        return mailbox

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name='pose_worker', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the current batch, end the thread, and empty the mailboxes."""
        with self._condition:
            self._running = False
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for mailbox in self._mailboxes:
            mailbox.take()

    def next_batch(self, count: int) -> List[Tuple[Any, Any]]:
        """Wait for an item; return the newest of every full mailbox, at most `count`.

        Mailboxes that were emptied go to the end of the line, so that each has its turn. An empty
        list means that the worker was stopped.
        """
        with self._condition:
            while self._running:
                full = [mailbox for mailbox in self._mailboxes if mailbox.full][:count]
                if full:
                    self._mailboxes = [mailbox for mailbox in self._mailboxes
                                       if mailbox not in full] + full
                    return [(mailbox.owner, mailbox.take()) for mailbox in full]
                self._condition.wait()
        return []

    def _run(self):
        while True:
            batch = self.next_batch(self._batch)
            if not batch:
                return
            self._process(batch)
