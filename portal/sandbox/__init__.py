"""A stand-in for the Wikeyun platform: its own process, its own books, scripted lives and faults.

It imports nothing of the project, its client (portal.gateway) least of all: both are written against the platform's
interface document, so that neither can excuse the other's mistake.

    with Sandbox(pace=0.1) as sandbox:
        sandbox.base_url  # "http://127.0.0.1:40123/rest/"
"""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .books import Books
from .calls import Calls
from .clockwork import Clockwork
from .control import Control
from .faults import Faults
from .notify import Notifier
from .page import render
from .server import Server
from .settings import Settings

__all__ = ["Sandbox", "Settings"]


class Sandbox:
    """The platform, running from start() to stop()."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        books: str | Path = ":memory:",
        fresh: bool = False,
        balance: str | int | Decimal = "100000.00",
        **settings: Any,
    ) -> None:
        """`balance` in yuan is what new books begin with. `settings` are those of Settings; raises InvalidSetting."""
        self.settings = Settings(**settings)
        self.books = Books(books, opening_balance=int(Decimal(balance) * 100), now=time.time(), fresh=fresh)
        self.books.keep_pace(self.settings.pace, now=time.time())
        self.faults = Faults(self.settings.seed)
        self._notifier = Notifier(self.settings, self.books)
        self._lives = Clockwork("sandbox-lives", self._live)
        try:
            self._server = Server(
                (host, port),
                settings=self.settings,
                calls=Calls(self.settings, self.books, self._wake),
                faults=self.faults,
                control=Control(self.settings, self.books, self.faults, self._wake),
                page=lambda: render(self.settings, self.books, self.faults),
            )
        except OSError:
            self.books.close()
            raise
        self._listener = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox-listener", daemon=True
        )
        self.root_url = f"http://{host}:{self._server.server_port}/"
        self.base_url = f"{self.root_url}rest/"

    def start(self) -> None:
        for thread in (self._notifier, self._lives, self._listener):
            thread.start()

    def stop(self) -> None:
        """At once: calls under way are cut, lives and callbacks under way are in the books."""
        self._server.stop()
        self._listener.join()
        self._lives.stop()
        self._notifier.stop()
        self.books.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wake(self) -> None:
        self._lives.wake()
        self._notifier.wake()

    def _live(self) -> float | None:
        due = self.books.live(pace=self.settings.pace, now=time.time())
        self._notifier.wake()
        return due
