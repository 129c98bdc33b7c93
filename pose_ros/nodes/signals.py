# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that end a process: the first one ends it in order, later ones change nothing."""
import os
import signal
import threading

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal ends the process.

    Not a KeyboardInterrupt: Python ends by SIGINT, after all else, where C code has passed one on.
    """


class EndSignals:
    """Raises Ended in the main thread at the first SIGINT, SIGTERM or SIGHUP after `release`.

    To be made in the main thread, before rclpy.init, whose own handlers call these too.
    `received` stays true: code in between may swallow the exception.
    """

    def __init__(self):
        """Install the handlers; SIGHUP stays ignored where it was (nohup)."""
        self.received, self._held = False, True
        for number in _NUMBERS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        threading.Thread(target=_pass_on, args=(reader,), name='signals', daemon=True).start()

    def release(self) -> None:
        """From now on the first signal interrupts; one that came before does so at once."""
        self._held = False
        if self.received:
            raise Ended

    def hold(self) -> None:
        """From now on no signal interrupts: the process is closing."""
        self._held = True

    def ignore(self) -> None:
        """Ignore them for good: the interpreter drops its own handlers before the process ends."""
        for number in _NUMBERS:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number, _):
        first, self.received = not self.received, True
        if first and not self._held:
            raise Ended(signal.Signals(number).name)


def _pass_on(reader):
    """Turn SIGHUP into SIGINT, by which rclpy wakes a main thread that waits for messages."""
    while True:
        if signal.SIGHUP in os.read(reader, 64):
            os.kill(os.getpid(), signal.SIGINT)
