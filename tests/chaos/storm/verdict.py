"""Both books side by side: what was pushed twice, lost, forgotten or replaced too early, and whether the money agrees.

Pure functions over what was read; where a number isn't 0, every case is told in words.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .books import Row

REFUNDED, PARTLY_ARRIVED = 4, 11
ERRORS = "errors that no lost connection explains"
BOOKS_DIFFER = "books differ, yuan"
MUST_BE_ZERO = (
    "pushed twice",
    "lost",
    "invented",
    "without a next step",
    "unresolved",
    "status differs",
    "replaced while the original was alive",
    BOOKS_DIFFER,
    ERRORS,
    "checks broken",
)


@dataclass
class Verdict:
    """What doesn't hold, by name, each case in words; and some figures."""

    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not any(self.broken.values())


@dataclass(frozen=True)
class Evidence:
    """All that is compared."""

    orders: list[Row]
    """The portal's rows."""
    platform: Row
    """The sandbox's books."""
    summary: Row
    lied_about: frozenset[str] = frozenset()
    """Orders about which somebody sent callbacks that weren't true."""
    shown: frozenset[str] = frozenset()
    """Orders whose pages people were sent to after they had placed them."""
    opening_balance: Decimal = Decimal(0)

    @property
    def booked(self) -> dict[str, Row]:
        return {entry["order_no"]: entry for entry in self.platform["orders"]}


def judge(evidence: Evidence) -> Verdict:
    """Compare both books.

    Args:
        evidence: the books, read after everything has come to rest.
    """
    verdict = Verdict()
    booked, rows = evidence.booked, {row["order_no"]: row for row in evidence.orders}
    told = {
        "pushed twice": _pushed_twice(evidence),
        "lost": _lost(evidence, rows, booked),
        "invented": _invented(evidence.orders, booked),
        "without a next step": _without_next_step(evidence.orders),
        "unresolved": _unresolved(evidence.orders, booked),
        "status differs": _other_status(evidence, booked),
        "replaced while the original was alive": _replaced_alive(evidence.orders, booked),
        BOOKS_DIFFER: _money(evidence, booked, verdict),
    }
    for name, cases in told.items():
        verdict.broken[name] = list(cases)
    return verdict


def _pushed_twice(evidence: Evidence) -> Iterator[str]:
    for order_no in evidence.summary["received_twice"]:
        yield f"{order_no} reached the platform more than once"
    for order_no in evidence.summary["double_spent"]:
        yield f"{order_no} was booked more than once"


def _lost(evidence: Evidence, rows: dict[str, Row], booked: dict[str, Row]) -> Iterator[str]:
    for order_no in evidence.shown - rows.keys():
        yield f"{order_no} was shown to who placed it, and is in no row"
    for order_no, entry in booked.items():
        row = rows.get(order_no)
        if row is None:
            yield f"{order_no} is at the platform, and in no row"
        elif row["submission"] != "ACCEPTED":
            life = f"{_life(entry)}, {entry['fault'] or 'no fault'}"
            yield f"{order_no} is at the platform ({life}), here {row['submission']}"
        elif row["gateway_order_no"] != entry["order_number"]:
            yield f"{order_no} is {entry['order_number']} at the platform, here {row['gateway_order_no']}"


def _invented(orders: list[Row], booked: dict[str, Row]) -> Iterator[str]:
    for row in orders:
        if row["submission"] == "ACCEPTED" and row["order_no"] not in booked:
            yield f"{row['order_no']} is accepted here, and the platform has never heard of it"


def _without_next_step(orders: list[Row]) -> Iterator[str]:
    for row in orders:
        steps = (row["next_check_at"], row["next_push_at"], row["lease_until"], row["settled_at"], row["marked"])
        if not any(steps) and row["submission"] != "AWAITING_APPROVAL":
            yield f"{row['order_no']} is {row['submission']}, {row['status']}, and nothing will happen to it"


def _unresolved(orders: list[Row], booked: dict[str, Row]) -> Iterator[str]:
    for row in orders:
        if row["submission"] in ("AWAITING_APPROVAL", "QUEUED", "SUBMITTING"):
            yield f"{row['order_no']} is still {row['submission']}"
        elif row["submission"] == "UNKNOWN" and row["order_no"] not in booked:
            yield f"{row['order_no']} never reached the platform, and is still UNKNOWN"


def _other_status(evidence: Evidence, booked: dict[str, Row]) -> Iterator[str]:
    for row in evidence.orders:
        entry = booked.get(row["order_no"])
        differs = entry and row["submission"] == "ACCEPTED" and row["status"] != entry["status"]
        if entry and differs and not _is_excused(row, evidence.lied_about):
            yield f"{row['order_no']} has status {row['status']} here, the platform says {_life(entry)}"


def _is_excused(row: Row, lied_about: frozenset[str]) -> bool:
    """Say whether a lie explains another status, and whoever looks sees that something is wrong or not confirmed."""
    return row["order_no"] in lied_about and (row["marked"] or row["confirmed_at"] is None)


def _replaced_alive(orders: list[Row], booked: dict[str, Row]) -> Iterator[str]:
    by_id = {row["id"]: row for row in orders}
    for row in orders:
        original = by_id.get(row["replaces_id"])
        replacement = booked.get(row["order_no"])
        if original and replacement:
            entry = booked.get(original["order_no"])
            if entry and not _was_dead(entry, replacement["created_at"]):
                yield f"{row['order_no']} replaces {original['order_no']}, of which the platform says {_life(entry)}"


def _was_dead(entry: Row, moment: float) -> bool:
    """Say whether all that an order had spent had come back by then, and nothing of it ever arrived."""
    returned = entry["returned_at"] is not None and entry["returned_at"] <= moment
    return returned and PARTLY_ARRIVED not in entry["history"]


def _money(evidence: Evidence, booked: dict[str, Row], verdict: Verdict) -> Iterator[str]:
    """Compare what the platform took with what the portal says it took, order by order and in all."""
    ours = theirs = excused = wrong = Decimal(0)
    for row in evidence.orders:
        entry = booked.get(row["order_no"])
        spent_here = _spent_here(row)
        spent_there = Decimal(entry["spent"]) - Decimal(entry["returned"]) if entry else Decimal(0)
        theirs += spent_there
        if spent_here != spent_there and _is_excused(row, evidence.lied_about):
            excused += spent_there - spent_here
        elif spent_here != spent_there:
            wrong += abs(spent_there - spent_here)
            yield f"{row['order_no']} cost ¥ {spent_there} at the platform, here ¥ {spent_here}"
        if entry and row["face_value"] != entry["amount"]:
            yield f"{row['order_no']} is about ¥ {entry['amount']} at the platform, here ¥ {row['face_value']}"
        ours += spent_here
    left = Decimal(evidence.summary["balance"])
    if evidence.summary["ledger_total"] != evidence.summary["balance"] or evidence.opening_balance - left != theirs:
        yield f"the platform's balance went from {evidence.opening_balance} to {left}, its orders cost {theirs}"
    verdict.figures |= {
        BOOKS_DIFFER: wrong,
        "spent at the platform, yuan": theirs,
        "spent as the portal has it, yuan": ours,
        "between them, orders that were lied about and are marked, yuan": excused,
    }


def _spent_here(row: Row) -> Decimal:
    """Return what an order cost as the portal has it; what is refunded cost nothing."""
    spends = row["submission"] == "ACCEPTED" and row["status"] != REFUNDED
    return row["cost_price"] or Decimal(0) if spends else Decimal(0)


def _life(entry: Row) -> str:
    return "→".join(map(str, entry["history"]))
