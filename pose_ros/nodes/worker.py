# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One-slot mailboxes and the one thread that empties them: nothing ever queues."""
import threading
from typing import Any, Callable, List, Optional, Tuple


class Mailbox:
    """Holds the newest item of one camera; a newer one replaces it."""

    def __init__(self, condition: threading.Condition):
        """Share the condition that wakes the worker."""
        self._condition = condition
        self._item: Optional[Any] = None

    def put(self, item: Any) -> bool:
        """Leave an item; True if it replaced one that nobody had taken."""
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
    """A thread that hands items to `process(mailbox, item)`, one at a time, mailboxes in turn.

    One worker serves one engine, and any number of cameras through a mailbox each.
    """

    def __init__(self, process: Callable[[Mailbox, Any], None]):
        """Take the function to call; it must not raise."""
        self._process = process
        self._condition = threading.Condition()
        self._mailboxes: List[Mailbox] = []
        self._thread: Optional[threading.Thread] = None
        self._running = False

    def add_mailbox(self) -> Mailbox:
        """Return a new mailbox that this worker empties."""
        mailbox = Mailbox(self._condition)
        with self._condition:
            self._mailboxes.append(mailbox)
        return mailbox

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name='pose_worker', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the item in hand, end the thread, and empty the mailboxes."""
        with self._condition:
            self._running = False
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for mailbox in self._mailboxes:
            mailbox.take()

    def _run(self):
        while True:
            mailbox, item = self._next()
            if mailbox is None:
                return
            self._process(mailbox, item)

    def _next(self) -> Tuple[Optional[Mailbox], Any]:
        """Wait for an item; the mailbox that gave it goes to the end of the line."""
        with self._condition:
            while self._running:
                for mailbox in self._mailboxes:
                    item = mailbox.take()
                    if item is not None:
                        self._mailboxes.remove(mailbox)
                        self._mailboxes.append(mailbox)
                        return mailbox, item
                self._condition.wait()
        return None, None
