"""A thread that does what is due, and sleeps until something is due again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

ROUND = 0.005
"""Seconds between two rounds at least, so that what becomes due together is done together."""


class Clockwork(threading.Thread):
    def __init__(self, name: str, work: Callable[[], float | None]) -> None:
        """`work` does what is due and returns when it is to be called again: epoch seconds, or None for never."""
        super().__init__(name=name, daemon=True)
        self._work = work
        self._wake = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        """Something may be due earlier than the last call of `work` knew."""
        self._wake.set()

    def run(self) -> None:
        while True:
            self._wake.clear()
            # Only now: stop() sets both, and a wake that was cleared after it would be slept through.
            if self._stopping.is_set():
                return
            due = self._work()
            self._wake.wait(None if due is None else max(0.0, due - time.time()))
            self._stopping.wait(ROUND)

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self.join()
