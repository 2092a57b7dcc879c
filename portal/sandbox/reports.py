"""The books as JSON, for tests and for the page."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from .protocol import yuan


def full_report(books: sqlite3.Connection, *, since: int = 0, order_no: str = "") -> dict[str, Any]:
    """Everything. `order_no`: only that order; `since`: only those pushed (again, perhaps) after that id."""
    pushed_since = "order_no IN (SELECT order_no FROM orders WHERE id > ?)"
    entries = order_entries(books, *(("order_no = ?", (order_no,)) if order_no else (pushed_since, (since,))))
    return {
        **totals(books),
        "orders": entries,
        "cards": [dict(card) for card in books.execute("SELECT * FROM cards ORDER BY id")],
        "calls": dict(books.execute("SELECT endpoint, count FROM calls ORDER BY endpoint").fetchall()),
    }


def totals(books: sqlite3.Connection) -> dict[str, str]:
    """The running balance, and the ledger added up again: the two must agree."""
    last = books.execute("SELECT balance FROM ledger ORDER BY id DESC LIMIT 1").fetchone()
    return {
        "balance": yuan(last[0] if last else 0),
        "ledger_total": yuan(books.execute("SELECT ifnull(sum(amount), 0) FROM ledger").fetchone()[0]),
    }


def summary(books: sqlite3.Connection) -> dict[str, Any]:
    """Counts and totals, cheap enough to ask for every second."""
    statuses = books.execute("SELECT status, count(*) FROM orders GROUP BY status ORDER BY status").fetchall()
    doubles = books.execute(
        "SELECT order_no FROM orders GROUP BY order_no HAVING count(*) > 1 ORDER BY min(id)"
    ).fetchall()
    repeated = books.execute("SELECT order_no FROM received WHERE times > 1 ORDER BY order_no").fetchall()

    def count(statement: str) -> int:
        return int(books.execute(statement).fetchone()[0])

    return {
        **totals(books),
        "orders": count("SELECT count(DISTINCT order_no) FROM orders"),
        "pushes": sum(number for _, number in statuses),
        "double_spent": [order_no for (order_no,) in doubles],
        "received_twice": [order_no for (order_no,) in repeated],
        "statuses": {str(status): number for status, number in statuses},
        "lives_under_way": count("SELECT count(*) FROM orders WHERE due IS NOT NULL"),
        "callbacks_waiting": count("SELECT count(*) FROM notifications WHERE due IS NOT NULL"),
        "last_id": count("SELECT ifnull(max(id), 0) FROM orders"),
    }


def order_entries(books: sqlite3.Connection, condition: str, parameters: tuple[object, ...]) -> list[dict[str, Any]]:
    """One entry for each order_no. If it was accepted more than once, money adds up and the later ones are copies."""
    # `condition` is always text of our own.
    rows = books.execute(f"SELECT * FROM orders WHERE {condition} ORDER BY id", parameters).fetchall()  # noqa: S608 - text of our own
    of_these = f"WHERE order_id IN (SELECT id FROM orders WHERE {condition})"  # noqa: S608 - text of our own
    which = f"{of_these} ORDER BY id"
    history = _by_order(books.execute(f"SELECT order_id, status FROM history {which}", parameters))  # noqa: S608 - text of our own
    refunds = books.execute(f"SELECT order_id, at FROM ledger {of_these} AND kind = 'return'", parameters)  # noqa: S608 - text of our own
    returned: dict[int, float] = dict(refunds.fetchall())
    callbacks = _by_order(
        books.execute(f"SELECT order_id, status, attempt, answer FROM attempts {which}", parameters)  # noqa: S608 - text of our own
    )
    pushes: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        pushes[row["order_no"]].append(row)
    return [_entry(group, history, callbacks, returned) for group in pushes.values()]


def _by_order(rows: sqlite3.Cursor) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        values = {name: row[name] for name in row.keys()[1:]}
        found[row["order_id"]].append(values if len(values) > 1 else row["status"])
    return found


def _entry(
    pushes: list[sqlite3.Row],
    history: dict[int, list[Any]],
    callbacks: dict[int, list[Any]],
    returned: dict[int, float],
) -> dict[str, Any]:
    first, *copies = pushes
    return {
        "id": pushes[-1]["id"],
        **{name: first[name] for name in ("order_no", "product", "target", "card_id", "amount", "recharge_type")},
        "notify_url": first["notify_url"],
        "fault": first["fault"],
        "created_at": first["created"],
        "returned_at": returned.get(first["id"]),
        **_push(first, history, callbacks),
        "pushes": len(pushes),
        "spent": yuan(sum(push["cost_price"] for push in pushes)),
        "returned": yuan(sum(push["returned"] for push in pushes)),
        "copies": [_push(copy, history, callbacks) for copy in copies],
    }


def _push(row: sqlite3.Row, history: dict[int, list[Any]], callbacks: dict[int, list[Any]]) -> dict[str, Any]:
    return {
        "order_number": row["order_number"],
        "status": row["status"],
        "history": history.get(row["id"], []),
        "callbacks": callbacks.get(row["id"], []),
    }
