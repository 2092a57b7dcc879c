"""A database of an older version is migrated without loss: what it had written keeps its meaning."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite
PROJECT = Path(__file__).resolve().parents[3]
BEFORE_MARKS = "0007"
"""The last migration at which an order had one mark alone, and at which nobody wrote down its account."""

PREPARE = """
from django.contrib.auth.models import User
User.objects.create_user("clerk")
"""
REPORT = """
import json
from recharge.models import Mark, Order
from recharge.books.services.invariants import CHECKS
orders = {}
for order in Order.objects.order_by("pk"):
    orders[order.order_no] = {
        "marks": sorted(order.marks.values_list("kind", flat=True)),
        "unspent": order.is_provably_unspent,
        "part": order.part_arrived,
        "first": order.first_attempt.order_no if order.first_attempt else None,
    }
broken = {check.name: list(check.find(Order.objects.all())) for check in CHECKS}
print(json.dumps({"orders": orders, "broken": {name: rows for name, rows in broken.items() if rows}}))
"""


class OldDatabase:
    """A file of SQLite at an older state, with the commands of today's portal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manage("migrate", "-v0", "recharge", BEFORE_MARKS)
        self.manage("migrate", "-v0", "auth")
        self.shell(PREPARE)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=PROJECT,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{self.path}", "DOTENV_PATH": os.devnull},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v0", "-c", code)

    def insert(self, table: str, **values: object) -> int:
        """Add a row; columns that are not named and may not be empty get what stands for nothing."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for _, name, kind, required, default, is_key in connection.execute(f"PRAGMA table_info({table})"):
                if required and not is_key and default is None and name not in values:
                    values[name] = "" if "char" in kind or "text" in kind else 0
            marks = ", ".join("?" * len(values))
            statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
            return connection.execute(statement, list(values.values())).lastrowid or 0

    def order(self, number: int, **values: object) -> int:
        at = "2026-11-20 10:00:00"
        return self.insert(
            "recharge_order",
            **{
                **{"order_no": f"2611200000000000000{number}", "product": "MOBILE", "mobile": f"1380013800{number}"},
                **{"face_value": 50, "speed": 1, "placed_by_id": 1, "placed_at": at, "submission": "ACCEPTED"},
                **{"gateway_order_no": f"W{number}", "claims": 1, "submitted_at": at, "next_check_at": at},
                **values,
            },
        )

    def event(self, order: int, kind: str, **values: object) -> int:
        return self.insert("recharge_orderevent", order_id=order, kind=kind, at="2026-11-20 10:01:00", **values)


@pytest.fixture
def old(tmp_path: Path) -> OldDatabase:
    return OldDatabase(tmp_path / "old.sqlite3")


def history(old: OldDatabase, order: int, submission: str = "ACCEPTED") -> None:
    old.event(order, "PLACED", submission_to="QUEUED")
    old.event(order, "CLAIMED", submission_from="QUEUED", submission_to="SUBMITTING")
    old.event(order, "ANSWERED", submission_from="SUBMITTING", submission_to=submission)


def test_single_marks_become_rows_and_facts_stay_facts(old: OldDatabase) -> None:
    conflicting = old.order(1, attention="UNKNOWN_CODE")
    history(old, conflicting)
    old.event(conflicting, "CALLBACK", verdict="conflict", reported_status=2)
    old.event(conflicting, "CALLBACK", verdict="unknown_code", reported_status=99)
    partly = old.order(2, status=4, confirmed_at="2026-11-20 11:00:00", settled_at="2026-11-20 11:00:00")
    history(old, partly)
    old.event(partly, "CALLBACK", verdict="applied", reported_status=11, status_to=11)
    old.event(partly, "QUERIED", verdict="applied", reported_status=4, status_from=11, status_to=4)
    dead = {"submission": "REJECTED", "gateway_order_no": None, "next_check_at": None}
    first = old.order(3, settled_at="2026-11-20 11:00:00", **dead)
    history(old, first, "REJECTED")
    second = old.order(4, mobile="13800138003", replaces_id=first, settled_at="2026-11-20 11:00:00", **dead)
    history(old, second, "REJECTED")
    third = old.order(5, mobile="13800138003", replaces_id=second)
    history(old, third)

    old.manage("migrate", "-v0")

    told = json.loads(old.shell(REPORT))
    orders = [told["orders"][f"2611200000000000000{number}"] for number in range(1, 6)]
    assert orders[0]["marks"] == ["CONFLICT", "UNKNOWN_CODE"], "the one that had been overwritten is back"
    assert (orders[1]["part"], orders[1]["unspent"]) == (True, False), "a part arrived, whatever was refunded later"
    assert [order["first"] for order in orders[2:]] == [None, *["26112000000000000003"] * 2]
    assert [order["unspent"] for order in orders[2:]] == [True, True, False]
    assert told["broken"] == {}
