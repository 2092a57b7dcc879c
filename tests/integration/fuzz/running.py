"""Playing so many inputs in portions, each of a seed that can be played again; nothing of an example stays behind."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests import books

ALL = int(os.environ.get("FUZZ", "400"))
FIRST_SEED = int(os.environ.get("FUZZ_SEED", "0")) or (random.SystemRandom().randrange(1, 10**9) if ALL > 400 else 1)
"""Masses are new ones each time; the few of the ordinary suite are the same, so that what fails there is the change."""
PORTION = 100
"""Examples that one seed makes at most: few enough for Hypothesis to remember, enough to make its start cheap."""
FEW = 5_000
"""Inputs in all for which one process is enough."""

Example = TypeVar("Example")


@dataclass
class Tally:
    """What was put in, and what came of it, in words that the last table of a run shows."""

    what: str
    inputs: int = 0
    seeds: list[int] = field(default_factory=lambda: [FIRST_SEED])
    seconds: float = 0.0
    came: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: str) -> None:
        self.inputs += 1
        self.came[outcome] += 1

    def told(self) -> dict[str, Any]:
        """Return it as it travels between processes."""
        return asdict(self) | {"came": dict(self.came)}

    def add(self, told: dict[str, Any]) -> None:
        """Add what another part of the same test counted."""
        self.inputs += told["inputs"]
        self.seconds += told["seconds"]
        self.seeds = sorted({*self.seeds, *told["seeds"]})
        self.came.update(told["came"])

    def __str__(self) -> str:
        came = ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(self.came.items()))
        return f"{self.what}: {self.inputs:,} inputs, seeds from {self.seeds} on, {self.seconds:.0f} s; {came}"


class _Undone(Exception):
    """Thrown to have the database forget an example."""


@contextmanager
def forgotten() -> Iterator[None]:
    """Do something in a transaction that is rolled back; durable transactions may be opened in it all the same."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as django.test.TestCase marks its own
    with suppress(_Undone), block:
        yield
        raise _Undone


def play(
    tally: Tally,
    wanted: int,
    examples: SearchStrategy[Example],
    judge: Callable[[Example, Tally], None],
    kept: Iterable[Example] = (),
    forget: Collection[str] = (),
) -> None:
    """Judge what once failed, and then so many new inputs.

    Args:
        tally: counts the inputs; an example may have several.
        wanted: how many inputs at least.
        examples: makes them.
        judge: fails where something happened that the input doesn't permit.
        kept: examples that once failed.
        forget: numbers of orders that the check of living attempts may name: somebody may say that they live.
    """
    began = time.monotonic()
    print(f"{tally.what}: FUZZ_SEED={tally.seeds[0]}")

    def look(example: Example) -> None:
        with forgotten():
            judge(example, tally)
            books_hold(forget)

    for example in kept:
        look(example)
    portion = 0
    while tally.inputs < wanted:
        portion += 1
        number = tally.seeds[0] + portion - 1
        portioned = given(examples)(look)
        bounded = settings(
            max_examples=min(PORTION, 1 + wanted // 10),
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(portioned)
        try:
            seed(number)(bounded)()
        except Exception as failure:
            failure.add_note(f"Played again by FUZZ_SEED={number}; keep what is printed above in kept.py.")
            raise
    tally.seconds = time.monotonic() - began


def books_hold(forget: Collection[str] = ()) -> None:
    """The portal's own checks find nothing. That of the trail is asked once, at the end: nothing here can bend it."""
    found = books.broken(besides={"trail"})
    living = found.pop("one_living_attempt", set()) - set(forget)
    assert not found, found
    assert not living, living
    assert not connection.needs_rollback


def parts(most: int) -> int:
    """Return into how many tests a kind of input is parted, so that several processors can share it."""
    return most if ALL > FEW else 1


def share(of: float) -> int:
    """Return how many of all inputs a test plays."""
    return max(1, round(ALL * of))


def rows_of(table: str) -> dict[int, tuple[Any, ...]]:
    """Return the rows of a table by key, as the database has them: only for comparing, and far faster than objects."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {table}.* FROM {table}")
        return {row[0]: row[1:] for row in cursor.fetchall()}


def columns_of(table: str) -> list[str]:
    """Return the names of a table's columns, in the order of the rows of `rows_of`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE false")
        return [column[0] for column in cursor.description]


AMOUNTS = ("cost_price", "rebate", "credited_amount")


def order_row(order_id: int) -> dict[str, Any]:
    """Return the columns of an order as the database has them; its amounts as decimals, whatever the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM recharge_order WHERE id = %s", [order_id])
        row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
    return row | {name: None if row[name] is None else Decimal(str(row[name])) for name in AMOUNTS}


def newest(table: str) -> int:
    """Return the highest key of a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return int(cursor.fetchone()[0])
