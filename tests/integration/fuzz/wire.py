"""The platform's answers, put where the wire ends: all of the client but the sockets works on them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from unittest import mock

import requests

from portal import platform
from portal.gateway import connections

from .canaries import real_client


class Answered:
    """What the client reads of a response of requests."""

    def __init__(self, status_code: int, body: bytes, headers: dict[str, str]) -> None:
        self.status_code, self.headers = status_code, headers
        self.raw = self
        self._body = io.BytesIO(body)

    def read(self, size: int, *, decode_content: bool) -> bytes:
        return self._body.read(size)

    def __enter__(self) -> "Answered":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Wire:
    """Gives the answers in their order, the last one for ever, and notes which calls were made."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.called: list[str] = []
        self.sent = b""

    def post_form(self, session: object, url: str, body: bytes, *, timeout: object) -> Answered:
        exchange = connections.current_exchange.get()
        exchange.begin()
        self.called.append(url.rpartition("/rest/")[2])
        self.sent += exchange.query.encode() + body
        status, content, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            raise requests.ConnectionError("reset")
        exchange.keep(content[: connections.WIRE_LIMIT])
        return Answered(status, content, headers)


@contextmanager
def wired() -> Iterator[Wire]:
    """Let the real client speak to a wire of ours."""
    wire = Wire()
    with (
        mock.patch.object(connections.Session, "post_form", lambda *them, **more: wire.post_form(*them, **more)),
        mock.patch.object(platform, "client", lambda: real_client()),
        mock.patch.object(platform, "trial_client", lambda **more: real_client()),
    ):
        yield wire
