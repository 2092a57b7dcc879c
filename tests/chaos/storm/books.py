"""Both books: the portal's rows by a few plain SELECTs, the platform's by the sandbox's own addresses."""

import datetime as dt
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import psycopg
import requests
from psycopg.rows import dict_row

Row = dict[str, Any]
PATIENCE = 60.0
SHOWN = 300
"""How many of the latest rows somebody chooses from."""

MOMENTS = ("next_push_at", "lease_until", "next_check_at", "asked_at", "first_missing_at", "last_missing_at")
"""Columns that say when something is due, or when it was done last so that it isn't done too often."""


class Portal:
    """The portal's database, which may be away for a moment at any time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._of_thread = threading.local()

    def rows(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Run a statement, again and again while the database is away; return what it gives."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                cursor = self._connection().execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self._of_thread.connection = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def _connection(self) -> "psycopg.Connection[Row]":
        connection: psycopg.Connection[Row] | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = psycopg.connect(self._url, connect_timeout=5, autocommit=True, row_factory=dict_row)
            self._of_thread.connection = connection
        return connection

    def number(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        (row,) = self.rows(statement, parameters)
        return int(next(iter(row.values())) or 0)

    @cached_property
    def marked(self) -> str:
        """The condition for orders that a person must look at."""
        return "open_marks > 0" if self._has_column("open_marks") else "attention <> ''"

    def orders(self) -> list[Row]:
        """Return all that is compared of every order."""
        return self.rows(
            "SELECT id, order_no, product, submission, status, gateway_order_no, face_value, cost_price, replaces_id,"
            f" confirmed_at, settled_at, next_check_at, next_push_at, lease_until, {self.marked} AS marked"
            " FROM recharge_order ORDER BY id"
        )

    def progress(self) -> tuple[int, int]:
        """Return how many orders were placed, and how many of them wait to be handed over."""
        (row,) = self.rows(
            "SELECT count(*) AS placed,"
            " count(*) FILTER (WHERE submission IN ('QUEUED', 'AWAITING_APPROVAL')) AS waiting FROM recharge_order"
        )
        return row["placed"], row["waiting"]

    def some(
        self, condition: str, *, columns: str = "order_no, mobile, oil_card_id, face_value, batch_id"
    ) -> list[Row]:
        """Return the latest orders of a condition."""
        return self.rows(f"SELECT id, {columns} FROM recharge_order o WHERE {condition} ORDER BY id DESC LIMIT {SHOWN}")

    def batches(self, condition: str) -> list[int]:
        rows = self.rows(f"SELECT id FROM recharge_batch b WHERE {condition} ORDER BY id DESC LIMIT {SHOWN}")
        return [row["id"] for row in rows]

    def leases_expired(self) -> int:
        """Return how many orders were given up on since their worker was dead or frozen for too long."""
        return self.number("SELECT count(*) FROM recharge_orderevent WHERE kind = 'LEASE_EXPIRED'")

    def is_stopped(self) -> bool:
        return bool(self.number('SELECT count(*) FROM recharge_emergencystop WHERE "on"'))

    def is_guarded(self) -> bool:
        """Say whether the restore guard is closed: nothing is pushed then."""
        return bool(self.number("SELECT count(*) FROM recharge_generation WHERE NOT is_open"))

    def let_time_pass(self, minutes: int) -> None:
        """Move what is due, and what was done last, into the past, for all orders of which something is expected."""
        moved = ", ".join(f"{column} = {column} - %(time)s" for column in MOMENTS)
        self.rows(
            f"UPDATE recharge_order SET {moved} WHERE next_push_at IS NOT NULL OR next_check_at IS NOT NULL"
            " OR lease_until IS NOT NULL",
            {"time": dt.timedelta(minutes=minutes)},
        )

    def _has_column(self, name: str) -> bool:
        columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'recharge_order'"
        return bool(self.number(f"{columns} AND column_name = %s", [name]))


class Platform:
    """The sandbox, which may be dead or frozen for a moment at any time."""

    def __init__(self, root: str) -> None:
        self._root = root

    def summary(self) -> Row:
        return self._ask("GET", "summary.json", timeout=30)

    def report(self) -> Row:
        """Return all of its books."""
        return self._ask("GET", "books.json", timeout=300)

    def has_come_to_rest(self) -> bool:
        summary = self.summary()
        return not summary["lives_under_way"] and not summary["callbacks_waiting"]

    def set_faults(self, rules: Iterable[Row], settings: Row) -> None:
        """Switch all faults off, and these on. A sandbox that is dead at this moment is told when it comes back."""
        with suppress(requests.RequestException):
            self._once("DELETE", "faults", timeout=5)
            self._once("POST", "faults", timeout=5, json=list(rules))
            self._once("POST", "settings", timeout=5, json=settings)

    def call_back(self, order_no: str, status: int, *, times: int = 1) -> None:
        """Let it report a status that isn't in its books; where it is dead just now, it reports nothing."""
        with suppress(requests.RequestException):
            body = {"status": status, "books": 0, "times": times}
            self._once("POST", f"orders/{order_no}/status", timeout=5, json=body)

    def _ask(self, method: str, path: str, **options: Any) -> Row:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer: Row = self._once(method, path, **options).json()
                return answer
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def _once(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = requests.request(method, f"{self._root}/sandbox/{path}", **options)
        answer.raise_for_status()
        return answer
