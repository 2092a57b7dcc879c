"""Many threads share one pace, on PostgreSQL and on SQLite: all together they are never faster than it."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from unittest import mock

import pytest
from django.conf import LazySettings
from django.db import connection

from portal.kit.database import now
from recharge.limits.services import pacing
from recharge.models import Pace

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
RATE = 40
THREADS = 8
TURNS = 5
LEAST = (THREADS * TURNS - 1) / RATE
"""Seconds that all turns take at the rate allowed: no machine is so fast that this may be undercut."""
CLOCK_STEP = 0.05
"""SQLite's clock counts in milliseconds, and clocks are set."""


all_have_looked = threading.Barrier(THREADS)


def take_without_lock(within: float | None = None) -> float | None:
    """Look first, then change: what taking a turn must not be."""
    turn = Pace.objects.get().next_turn_at
    all_have_looked.wait(timeout=30)
    Pace.objects.update(next_turn_at=turn + dt.timedelta(seconds=1 / RATE))
    return 0.0


def seconds_for(take_turns: Callable[[], None]) -> float:
    """Let all threads take their turns, and return how long all of it took."""
    Pace.objects.get_or_create(pk=1)

    def work() -> None:
        take_turns()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


def single_orders() -> None:
    for _ in range(TURNS):
        pacing.wait_for_turn()


def drain() -> None:
    taken = 0
    while taken < TURNS:
        taken += pacing.wait_in_drain()


def turns_given(take_turns: Callable[[], None]) -> int:
    """Let all threads take turns of a time far ahead, without waiting for them; return how many turns that made."""
    start = now() + dt.timedelta(hours=1)
    Pace.objects.update_or_create(pk=1, defaults={"next_turn_at": start})
    with mock.patch.object(time, "sleep", lambda seconds: None):
        seconds_for(take_turns)
    return round((Pace.objects.get().next_turn_at - start).total_seconds() * RATE)


@pytest.fixture(autouse=True)
def paced(settings: LazySettings) -> None:
    assert "memory" not in str(connection.settings_dict["NAME"]), "threads need a database in a file"
    settings.WIKEYUN_MAX_RPS = RATE


@pytest.mark.parametrize("take_turns", [single_orders, drain])
def test_all_threads_together_keep_the_pace(take_turns: Callable[[], None]) -> None:
    assert seconds_for(take_turns) >= LEAST - CLOCK_STEP


def test_every_thread_gets_turns_of_its_own() -> None:
    assert turns_given(single_orders) == THREADS * TURNS


def test_without_a_lock_they_share_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: it must go wrong, or the tests above prove nothing."""
    monkeypatch.setattr(pacing, "_take", take_without_lock)
    assert turns_given(pacing.wait_for_turn) == 1
