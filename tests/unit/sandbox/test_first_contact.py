"""Settings of the sandbox that are wrong for a merchant who believes the public documents."""

import time

import pytest

from portal.sandbox import Sandbox

from .wire import call, mobile_order, post, push


def set_to(sandbox: Sandbox, **settings: object) -> None:
    sandbox.settings.adopt(sandbox.settings.changed(settings))


@pytest.mark.parametrize(("policy", "code"), [("find", "0000"), ("refuse", "1003"), ("blind", "2007")])
def test_queries_by_our_number(sandbox: Sandbox, policy: str, code: str) -> None:
    order = mobile_order()
    number = str(push(sandbox, **order)["data"]["order_number"])
    set_to(sandbox, order_no_queries=policy)
    assert call(sandbox, "Recharge/query", {"order_no": order["order_no"]})["code"] == code
    assert call(sandbox, "Recharge/query", {"order_number": number})["code"] == "0000"


def test_a_clock_that_is_ahead_refuses_and_says_its_time(sandbox: Sandbox) -> None:
    set_to(sandbox, clock_offset=3600)
    answer = call(sandbox, "User/query")
    assert answer["code"] == "1006"
    assert int(answer["time"]) - time.time() == pytest.approx(3600, abs=5)


def test_a_signature_without_the_client(sandbox: Sandbox) -> None:
    set_to(sandbox, unsigned="client")
    assert call(sandbox, "User/query")["code"] == "1005"
    assert call(sandbox, "User/query", client="")["code"] == "0000"


def test_calls_that_are_missing(sandbox: Sandbox) -> None:
    set_to(sandbox, missing_calls="Oil/query, Recharge/verify")
    assert call(sandbox, "Recharge/verify")["code"] == "1002"
    assert call(sandbox, "User/query")["code"] == "0000"


def test_what_php_does_to_an_answer(sandbox: Sandbox) -> None:
    set_to(sandbox, quirks="on")
    answer = post(sandbox, "User/query", {})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert b'"100,000.00"' in answer.content


def test_calls_about_the_shop(sandbox: Sandbox) -> None:
    listing = {"order_type": "7", "query_type": "1", "start": "2026-01-01 00:00:00", "end": "2026-01-01 01:00:00"}
    assert call(sandbox, "Order/orderList", {"store_id": "1", **listing})["code"] == "0000"
    assert call(sandbox, "Order/orderList", {"store_id": "2", **listing})["code"] == "2001"
    assert call(sandbox, "Recharge/forbid", {"store_id": "1", "status": "1"})["code"] == "0000"
    assert call(sandbox, "Recharge/forbid", {"store_id": "1", "status": "2"})["code"] == "2004"
