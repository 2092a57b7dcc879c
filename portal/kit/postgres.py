"""A connection to PostgreSQL with a timeout for answers.

libpq limits how long it takes to connect, and the kernel how long sent bytes may stay unacknowledged. Neither ends the
wait for a server that took the question and never answers: its process is frozen, or its disk is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from django.conf import settings

_limit: ContextVar[float | None] = ContextVar("limit", default=None)


@contextmanager
def answering_within(seconds: float) -> Iterator[None]:
    """Let no statement take longer within this context, whatever DATABASE_TIMEOUT says.

    Args:
        seconds: for each statement.
    """
    token = _limit.set(seconds)
    try:
        yield
    finally:
        _limit.reset(token)


class TimedConnection(psycopg.Connection[Any]):
    """Closes itself, and raises OperationalError, where an answer doesn't come within DATABASE_TIMEOUT seconds."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        limit = timeout or _limit.get() or settings.DATABASE_TIMEOUT or None
        try:
            return super().wait(gen, interval=interval, timeout=limit)
        except psycopg.OperationalError as error:
            if type(error).__name__ == "_WaitTimeout":
                self.pgconn.finish()  # a late answer would belong to no statement any more
                raise psycopg.OperationalError(f"the database gave no answer within {limit:g} s") from None
            raise
