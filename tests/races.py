"""Several people act at the same moment."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connection

from recharge.core.errors import ServiceError

PATIENCE = 2.0
"""Seconds that whoever has looked waits for the other one to look, too; where a lock keeps him from it, in vain."""


def together(*deeds: Callable[[], object]) -> list[Exception]:
    """Do all of it at the same time; return what was refused."""
    start = threading.Barrier(len(deeds))
    refused: list[Exception] = []

    def run(action: Callable[[], object]) -> None:
        start.wait()
        try:
            action()
        except ServiceError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[action]) for action in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


class BothLook:
    """Lets nobody of two act before both have looked, as far as nothing keeps the second one from looking.

    So a lock that is missing is found at every attempt, not only at an unlucky one.
    """

    def __init__(self) -> None:
        self._one_has_looked = threading.Event()
        self._both_have_looked = threading.Barrier(2)

    def at(self, look: Callable[..., Any]) -> Callable[..., Any]:
        """Return what stands in for a function that reads what will be decided upon."""

        def looked(*args: Any, **kwargs: Any) -> Any:
            found = look(*args, **kwargs)
            self._one_has_looked.set()
            with suppress(threading.BrokenBarrierError):
                self._both_have_looked.wait(timeout=PATIENCE)
            return found

        return looked

    def second(self, action: Callable[[], object]) -> Callable[[], object]:
        """Return the action of the one who comes when the other one has looked already."""

        def comes_second() -> object:
            assert self._one_has_looked.wait(timeout=10 * PATIENCE)
            return action()

        return comes_second
