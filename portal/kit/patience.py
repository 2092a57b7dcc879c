"""Exchanges over the network that are over after so many seconds, however slowly the other side answers.

A time limit of a socket starts anew with every byte, so that whoever sends one now and then holds a caller for days.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

ONCE_MORE = 0.5
"""Seconds after which whatever was connected meanwhile is cut off, too."""

_open: ContextVar[list[socket.socket] | None] = ContextVar("open_connections", default=None)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Cut off what is held within, once its time is over: its reads and writes fail then.

    Connecting, with the handshake of TLS, has the time limit of its socket alone.
    """
    held: list[socket.socket] = []
    done = threading.Event()
    mark = _open.set(held)
    threading.Thread(target=_cut, args=[done, seconds, held], name="patience", daemon=True).start()
    try:
        yield
    finally:
        done.set()
        _open.reset(mark)


def hold(connected: socket.socket) -> None:
    """Let a connection be cut off with the others; nothing where none are."""
    held = _open.get()
    if held is not None:
        held.append(connected)


class Held(HTTPConnection):
    """Beside a connection of urllib3: it is held once it stands, since an answer goes on without it."""

    def connect(self) -> None:
        super().connect()
        hold(self.sock)


class HeldByTLS(Held, HTTPSConnection):
    """The same with TLS."""


class Adapter(HTTPAdapter):
    """Connects without a proxy by connections that are held."""

    plain: type[Held] = Held
    by_tls: type[HeldByTLS] = HeldByTLS

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": self.plain}),
            "https": type("_HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": self.by_tls}),
        }


class Session(requests.Session):
    """A session whose direct connections are held."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("http://", Adapter())
        self.mount("https://", Adapter())


def _cut(done: threading.Event, seconds: float, held: list[socket.socket]) -> None:
    while not done.wait(seconds):
        seconds = ONCE_MORE
        for connected in list(held):
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
