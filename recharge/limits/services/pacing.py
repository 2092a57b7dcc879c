"""Calling the platform no faster than WIKEYUN_MAX_RPS allows, all workers together.

One row holds the moment of the next free turn, by the database's clock.
"""

import datetime as dt
import time

from django.conf import settings
from django.db import transaction

from portal.kit.database import now as database_now
from portal.kit.database import release_connection
from recharge.models import Pace

DRAIN_MAX_WAIT = 0.5
"""Seconds: drains take no turn that is further off, so that a single order never queues behind all of them."""


def wait_for_turn() -> None:
    """Take the next turn and sleep until it comes; returns at once where no limit is set."""
    if settings.WIKEYUN_MAX_RPS:
        _sleep(_take() or 0)


def wait_in_drain() -> bool:
    """Take the next turn and sleep until it comes, unless it is far off; returns at once where no limit is set.

    Returns:
        Whether a turn was taken. Where not, some time has passed, and the caller may try again.
    """
    if not settings.WIKEYUN_MAX_RPS:
        return True
    seconds = _take(within=DRAIN_MAX_WAIT)
    _sleep(DRAIN_MAX_WAIT / 2 if seconds is None else seconds)
    return seconds is not None


def wait_within(seconds: float) -> bool:
    """Take the next turn and sleep until it comes, unless it is further off than so many seconds.

    Returns:
        Whether a turn was taken; where not, no time has passed. At once, where no limit is set.
    """
    if not settings.WIKEYUN_MAX_RPS:
        return True
    turn = _take(within=seconds)
    if turn is not None:
        _sleep(turn)
    return turn is not None


def _sleep(seconds: float) -> None:
    """Sleep with no connection held: more workers wait for their turns than the pool has connections."""
    release_connection()
    time.sleep(seconds)


def _take(within: float | None = None) -> float | None:
    """Return in how many seconds the turn that was taken comes; None where it is further off than `within`."""
    Pace.objects.get_or_create(pk=1)
    with transaction.atomic(durable=True):
        free_at = Pace.objects.select_for_update().get().next_turn_at
        now = database_now()
        turn = max(free_at, now)
        seconds = (turn - now).total_seconds()
        if within is not None and seconds > within:
            return None
        Pace.objects.update(next_turn_at=turn + dt.timedelta(seconds=1 / settings.WIKEYUN_MAX_RPS))
    return seconds
