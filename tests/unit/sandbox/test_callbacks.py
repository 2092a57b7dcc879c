"""Callbacks: what they say, where they go, and when they stop."""

import itertools
from typing import Any

import pytest

from portal.sandbox import Sandbox
from portal.sandbox.notify import loopback

from .wire import control, merchant, order_in_books, push, until


def attempts(sandbox: Sandbox, order_no: str = "N") -> list[dict[str, Any]]:
    callbacks: list[dict[str, Any]] = order_in_books(sandbox, order_no)["callbacks"]
    return callbacks


def waiting(sandbox: Sandbox) -> int:
    count: int = control(sandbox, "summary.json", method="GET")["callbacks_waiting"]
    return count


def test_every_status_is_called_back_in_order(sandbox: Sandbox) -> None:
    with merchant() as shop:
        number = str(push(sandbox, order_no="N", notify_url=shop.url)["data"]["order_number"])
        until(lambda: len(attempts(sandbox)) == 4)
    assert shop.statuses() == [6, 7, 1, 2]
    assert {(callback["order_no"], callback["order_number"]) for callback in shop.received} == {("N", number)}
    last = shop.received[-1]
    assert (last["mobile"], last["amount"], float(last["arrived_amount"])) == ("13800138000", "50", 50.0)
    assert {"fanli", "cost_price", "failReason", "sign"} <= last.keys()
    assert [(entry["status"], entry["attempt"], entry["answer"]) for entry in attempts(sandbox)] == [
        (status, 1, "success") for status in (6, 7, 1, 2)
    ]


def test_a_failure_says_why(sandbox: Sandbox) -> None:
    with merchant() as shop:
        push(sandbox, mobile="13800138001", notify_url=shop.url)
        until(lambda: len(shop.received) == 3)
    assert [callback["failReason"] for callback in shop.received] == ["", "运营商返回充值失败", "运营商返回充值失败"]


def test_without_extras_a_callback_says_what_the_document_says(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"extras": "0"})
    with merchant() as shop:
        push(sandbox, notify_url=shop.url)
        until(lambda: len(shop.received) == 4)
    assert all(set(callback) == {"order_no", "order_number", "status"} for callback in shop.received)


def test_all_callbacks_as_json(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"callback_format": "json"})
    with merchant() as shop:
        push(sandbox, notify_url=shop.url)
        until(lambda: len(shop.received) == 4)
    assert set(shop.types) == {"application/json"}


@pytest.mark.parametrize(
    "answer", [(200, "success\n"), (200, '"success"'), (200, ""), (500, "success"), (302, "success")]
)
def test_anything_but_success_is_sent_again_five_times(answer: tuple[int, str]) -> None:
    with Sandbox(pace=0, latency=0, life="stuck") as sandbox, merchant(*[answer] * 20) as shop:
        push(sandbox, order_no="N", notify_url=shop.url)
        until(lambda: len(attempts(sandbox)) == 6 and waiting(sandbox) == 0)
        assert [entry["attempt"] for entry in attempts(sandbox)] == [1, 2, 3, 4, 5, 6]
        assert len(shop.received) == 6


def test_sending_again_stops_at_success() -> None:
    with Sandbox(pace=0, latency=0, life="stuck") as sandbox, merchant((503, ""), (200, "fail")) as shop:
        push(sandbox, order_no="N", notify_url=shop.url)
        until(lambda: len(attempts(sandbox)) == 3 and waiting(sandbox) == 0)
        assert [entry["answer"] for entry in attempts(sandbox)] == ["HTTP 503", "fail", "success"]
        assert len(shop.received) == 3


def test_the_pauses_grow() -> None:
    with Sandbox(pace=0.02, latency=0, life="stuck") as sandbox:
        push(sandbox, order_no="N")
        until(lambda: len(attempts(sandbox)) == 6)
        times = [row["at"] for row in sandbox.books.read("SELECT at FROM attempts ORDER BY id")]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause >= 0.02 * factor for pause, factor in zip(pauses, (1, 2, 4, 8, 16), strict=True))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8000/callback/", True),
        ("http://localhost:8000/", True),
        ("http://[::1]:8000/", True),
        ("http://127.1.0.1", True),
        ("https://127.0.0.1/", False),
        ("http://example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://user@10.0.0.1/", False),
        ("nonsense", False),
        ("http://[", False),
    ],
)
def test_callbacks_stay_on_this_machine(url: str, allowed: bool) -> None:
    assert (loopback(url) is not None) is allowed


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "http://[", "http://127.0.0.1:99999/", "http://127.0.0.1/\x01 ü"]
)
def test_a_callback_to_nowhere_is_noted_and_harms_nobody(sandbox: Sandbox, url: str) -> None:
    control(sandbox, "settings", {"life": "stuck"})
    push(sandbox, order_no="N", notify_url=url)
    first = until(lambda: attempts(sandbox))[0]["answer"]
    assert first.startswith(("refused", "error"))
    with merchant() as shop:
        for number in range(20):  # whichever sender had it, it is still there
            push(sandbox, order_no=f"after{number}", notify_url=shop.url)
        until(lambda: len(shop.received) == 20)


def test_callbacks_switched_off_are_lost(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"callbacks": False})
    with merchant() as shop:
        push(sandbox, order_no="N", notify_url=shop.url)
        until(lambda: len(attempts(sandbox)) == 4)
        assert shop.received == []
    assert {entry["answer"] for entry in attempts(sandbox)} == {"lost"}
