"""What a run of the books' checks takes, with 100,000 orders and with 10,000,000: `python -m tests.benchmarks.books`.

Two databases alike but for their size, and a process for each; they take turns. Before each run as much news is there
as one run follows up at most, and the round over all orders stands somewhere in the middle.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any, Self

import psycopg

from . import rig

SMALL, LARGE = 100_000, 10_000_000
WANTED = 1.5
DAYS = 730
EVENTS = """
    INSERT INTO recharge_orderevent
        (order_id, at, kind, submission_from, submission_to, status_to, reported_status, verdict, note, raw)
    SELECT o.id, o.placed_at + k.number * interval '1 minute', k.kind, k.before, k.after, k.status, k.status, k.verdict,
        '', CASE WHEN k.number > 1 THEN '{"order_no":"' || o.order_no || '","order_number":"W1"}' ELSE '' END
    FROM recharge_order o, (VALUES
        (0, 'PLACED', '', 'QUEUED', NULL, ''),
        (1, 'CLAIMED', 'QUEUED', 'SUBMITTING', NULL, ''),
        (2, 'ANSWERED', 'SUBMITTING', 'ACCEPTED', NULL, 'applied'),
        (3, 'QUERIED', '', '', 2, 'applied')
    ) k (number, kind, before, after, status, verdict)
    ORDER BY o.id, k.number
"""
INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('recharge_order', 'recharge_orderevent')
        AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conname IS NOT NULL)
"""
SUMS = """
    INSERT INTO recharge_spending (day, person_id, amount)
    SELECT counted_on, placed_by_id, sum(face_value) FROM recharge_order GROUP BY GROUPING SETS ((1), (1, 2))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--orders", type=int, default=LARGE, help="in the large database")
    parser.add_argument("--check", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        check(options.check)
        return
    rig.begin("checks of the books")
    with ExitStack() as stack:
        checkers = []
        for size in (SMALL, options.orders):
            began = time.monotonic()
            checkers.append(stack.enter_context(Checker(stack.enter_context(rig.postgresql(f"books_{size}")), size)))
            print(f"  {size:,} orders are there after {time.monotonic() - began:.0f} s", flush=True)
        runs: tuple[list[dict[str, float]], ...] = ([], [])
        for number in range(1 + options.rounds):
            for which in (0, 1) if number % 2 else (1, 0):
                took = checkers[which].run()
                if number:  # the first one warms up
                    runs[which].append(took)
    print(f"  {'seconds':20} {'small':>7} {'large':>7}  large : small")
    slow = 0
    for name in [*runs[0][0], "all"]:
        small, large = (median(_taken(took, name) for took in of_size) for of_size in runs)
        too_slow = name == "all" and large > WANTED * small
        slow += too_slow
        print(f"  {name:20} {small:7.2f} {large:7.2f}  {large / small:.2f}{'  SLOW' if too_slow else ''}")
    sys.exit(1 if slow else 0)


def _taken(took: dict[str, float], name: str) -> float:
    return sum(took.values()) if name == "all" else took[name]


class Checker:
    """The process that has one of the databases."""

    def __init__(self, database: str, size: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.books", "--check", str(size)],
            cwd=rig.ROOT,
            env={**os.environ, **rig.PRODUCTION, "DATABASE_URL": database},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.run() == {}, "the orders were not made"
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def run(self) -> dict[str, float]:
        """Run the checks once, and return the seconds of each; the first time, say that the orders are there."""
        assert self._process.stdin
        assert self._process.stdout
        print("run", file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return dict(json.loads(line))


def check(size: int) -> None:
    """Be the process that has a database of so many orders: run the checks once for each line."""
    rig.enter({name: os.environ[name] for name in ("DATABASE_URL",)})
    from django.db import connection
    from django.db.models import Max

    from recharge.books.services import checks as books
    from recharge.models import CheckRun, Order, OrderEvent

    fill(size)
    connection.close()
    for number, _line in enumerate(sys.stdin):
        results = []
        if number:
            newest = OrderEvent.objects.aggregate(last=Max("pk"))["last"]
            highest = Order.objects.aggregate(last=Max("pk"))["last"]
            piece = (highest // 2 // books.PIECE - number) * books.PIECE
            CheckRun.objects.update(event_seen=newest - books.EVENTS, order_seen=max(0, piece))
            results = books.check_all()
            wrong = [result.check.name for result in results if result.broken]
            assert not wrong, wrong
        print(json.dumps({result.check.name: result.seconds for result in results}), flush=True)


def fill(size: int) -> None:
    """Make settled successes of two years by twenty clerks, as many a day, each with its history."""
    from django.contrib.auth.models import User

    from recharge.limits.services import accounts
    from recharge.models import Account

    from .orders import insert_orders

    clerks = [User.objects.create_user(f"clerk{number}") for number in range(20)]
    accounts.is_confirmed()
    account = Account.objects.get()
    Account.objects.update(seen_at="2020-01-01T00:00Z", confirmed_at="2020-01-01T00:00Z")
    day = f"now() - interval '{DAYS} days' * (({size} - n)::float / {size})"
    columns = {
        "order_no": "'26' || lpad(n::text, 18, '0')",
        "product": "'MOBILE'",
        "mobile": f"'138' || lpad((n % {size // 10})::text, 8, '0')",
        "face_value": "(ARRAY[50, 100, 200])[n % 3 + 1]",
        "placed_by_id": f"{clerks[0].pk} + n % 20",
        "placed_at": day,
        "counted_on": f"(({day}) AT TIME ZONE 'Asia/Shanghai')::date",
        "submission": "'ACCEPTED'",
        "claims": "1",
        "submitted_at": day,
        "account_id": str(account.pk),
        "gateway_order_no": "'W' || n",
        "status": "2",
        "status_at": day,
        "confirmed_at": day,
        "settled_at": day,
    }
    # A connection of its own: the portal's give up on a statement after a minute.
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        own.execute("SET session_replication_role = replica")  # the rows are right: nothing need be looked up for each
        with without_indexes(own):
            own.execute(insert_orders(columns, f"generate_series(1, {size}) n ORDER BY n"))
            own.execute(EVENTS)
        own.execute(SUMS)
        own.execute("VACUUM (ANALYZE)")


@contextmanager
def without_indexes(own: "psycopg.Connection[Any]") -> Iterator[None]:
    """Take the indexes away that no constraint needs, and make them anew afterwards: many rows come in far faster."""
    indexes = own.execute(INDEXES).fetchall()
    for name, _definition in indexes:
        own.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        own.execute(definition)


if __name__ == "__main__":
    main()
