"""The verdict of a storm sees each thing that may not be, and nothing where all is well."""

from decimal import Decimal
from typing import Any

import pytest

from tests.chaos.storm.verdict import MUST_BE_ZERO, Evidence, Verdict, judge


def row(order_no: str = "A", **changes: Any) -> dict[str, Any]:
    """Return an order as the portal has it: a success, settled."""
    values = {
        "id": ord(order_no),
        "order_no": order_no,
        "submission": "ACCEPTED",
        "status": 2,
        "gateway_order_no": f"W{order_no}",
        "face_value": 50,
        "cost_price": 49,
        "replaces_id": None,
        "confirmed_at": "now",
        "settled_at": "now",
        "next_check_at": None,
        "next_push_at": None,
        "lease_until": None,
        "marked": False,
    }
    return {**values, **changes}


def entry(order_no: str = "A", **changes: Any) -> dict[str, Any]:
    """Return the same order as the platform has it."""
    values = {
        "order_no": order_no,
        "order_number": f"W{order_no}",
        "status": 2,
        "history": [1, 2],
        "amount": 50,
        "spent": "49.00",
        "returned": "0.00",
        "created_at": 100.0,
        "returned_at": None,
        "fault": "",
    }
    return {**values, **changes}


REFUNDED: dict[str, Any] = {"status": 4, "history": [1, 3, 4], "returned": "49.00", "returned_at": 90.0}


def verdict_of(rows: list[dict[str, Any]], entries: list[dict[str, Any]], **changes: Any) -> Verdict:
    spent = sum(float(booked["spent"]) - float(booked["returned"]) for booked in entries)
    balance = f"{1000 - spent:.2f}"
    summary = {"received_twice": [], "double_spent": [], "balance": balance, "ledger_total": balance}
    summary |= changes.pop("summary", {})
    return judge(Evidence(rows, {"orders": entries}, summary, opening_balance=Decimal(1000), **changes))


def broken(verdict: Verdict) -> set[str]:
    return {name for name, cases in verdict.broken.items() if cases}


def test_all_is_well() -> None:
    replaced = row("B", status=4)
    verdict = verdict_of(
        [row(), replaced, row("C", replaces_id=replaced["id"]), row("D", submission="REJECTED", status=None)],
        [entry(), entry("B", **REFUNDED), entry("C")],
    )
    assert verdict.holds
    assert verdict.broken.keys() <= set(MUST_BE_ZERO)


@pytest.mark.parametrize("name", ["received_twice", "double_spent"])
def test_pushed_twice(name: str) -> None:
    assert broken(verdict_of([row()], [entry()], summary={name: ["A"]})) == {"pushed twice"}


@pytest.mark.parametrize("submission", ["UNKNOWN", "REJECTED", "NOT_RECEIVED"])
def test_an_order_of_the_platform_that_the_portal_holds_dead_or_unknown_is_lost(submission: str) -> None:
    verdict = verdict_of([row(submission=submission, status=None)], [entry()])
    assert broken(verdict) == {"lost", "books differ, yuan"}
    assert verdict.figures["books differ, yuan"] == 49


def test_an_order_of_the_platform_that_is_in_no_row_is_lost() -> None:
    assert "lost" in broken(verdict_of([], [entry()]))


def test_an_order_under_another_number_is_lost() -> None:
    assert broken(verdict_of([row(gateway_order_no="X")], [entry()])) == {"lost"}


def test_an_order_that_was_shown_and_is_gone_is_lost() -> None:
    assert broken(verdict_of([row()], [entry()], shown=frozenset("AZ"))) == {"lost"}


def test_an_order_that_the_platform_never_had_is_invented() -> None:
    assert "invented" in broken(verdict_of([row()], []))


def test_nothing_will_happen_to_an_order() -> None:
    forgotten = row(settled_at=None)
    assert broken(verdict_of([forgotten], [entry()])) == {"without a next step"}
    for step in ("next_check_at", "lease_until", "marked"):
        assert verdict_of([{**forgotten, step: "soon"}], [entry()]).holds


@pytest.mark.parametrize("submission", ["AWAITING_APPROVAL", "QUEUED", "SUBMITTING", "UNKNOWN"])
def test_an_order_without_an_answer_is_unresolved(submission: str) -> None:
    assert "unresolved" in broken(verdict_of([row(submission=submission, next_check_at="soon")], []))


def test_another_status_differs_unless_a_lie_explains_it_and_it_shows() -> None:
    refunded = entry(**REFUNDED)
    assert broken(verdict_of([row()], [refunded])) == {"status differs", "books differ, yuan"}
    lied_about = frozenset("A")
    assert broken(verdict_of([row()], [refunded], lied_about=lied_about)) == {"status differs", "books differ, yuan"}
    assert verdict_of([row(marked=True)], [refunded], lied_about=lied_about).holds
    assert verdict_of([row(confirmed_at=None)], [refunded], lied_about=lied_about).holds
    assert not verdict_of([row(marked=True)], [refunded]).holds


@pytest.mark.parametrize(
    "original",
    [
        {},
        {**REFUNDED, "returned_at": 101.0},
        {**REFUNDED, "history": [1, 11, 4]},
    ],
    ids=["alive", "refunded too late", "a part arrived"],
)
def test_replaced_while_the_original_was_alive(original: dict[str, Any]) -> None:
    first = row("B", status=original.get("status", 2))
    verdict = verdict_of([first, row("C", replaces_id=first["id"])], [entry("B", **original), entry("C")])
    assert broken(verdict) == {"replaced while the original was alive"}


@pytest.mark.parametrize("change", [{"cost_price": 48}, {"cost_price": None}, {"face_value": 100}])
def test_money_differs(change: dict[str, Any]) -> None:
    assert broken(verdict_of([row(**change)], [entry()])) == {"books differ, yuan"}


def test_the_platforms_own_books_must_add_up() -> None:
    assert broken(verdict_of([row()], [entry()], summary={"balance": "900.00"})) == {"books differ, yuan"}
