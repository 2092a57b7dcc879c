"""Faults: what the merchant sees, and what the books know."""

import contextlib
import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from portal.sandbox import Sandbox
from portal.sandbox.faults import FAULTS, Fault, Faults
from portal.sandbox.lives import SPECIALS

from .wire import books, call, control, merchant, mobile_order, order_in_books, post, push, until


def try_push(sandbox: Sandbox, timeout: float = 0.5, **changes: str) -> requests.Response:
    return post(sandbox, "Recharge/pushOrder", mobile_order(**changes), timeout=timeout)


def switch_on(sandbox: Sandbox, fault: str, **details: Any) -> None:
    control(sandbox, "faults", {"fault": fault, **details})


def booked(sandbox: Sandbox) -> list[tuple[int, str]]:
    return [(order["pushes"], order["spent"]) for order in books(sandbox)["orders"]]


ACCEPTED = [(1, "49.00")]


@pytest.mark.parametrize(
    ("fault", "failure", "pushes"),
    [
        ("accept_hang", requests.ReadTimeout, ACCEPTED),
        ("accept_reset", requests.ConnectionError, ACCEPTED),
        ("accept_truncated", requests.exceptions.ChunkedEncodingError, ACCEPTED),
        ("reset", requests.ConnectionError, []),
    ],
)
def test_a_call_that_gets_no_answer(
    sandbox: Sandbox, fault: str, failure: type[Exception], pushes: list[tuple[int, str]]
) -> None:
    switch_on(sandbox, fault, times=1)
    with pytest.raises(failure):
        try_push(sandbox)
    assert booked(sandbox) == pushes
    assert try_push(sandbox, timeout=5).json()["code"] == "0000"


def test_a_reset_is_a_reset_on_the_wire(sandbox: Sandbox) -> None:
    switch_on(sandbox, "accept_reset")
    address = urlsplit(sandbox.base_url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"POST /rest/Recharge/pushOrder HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize(
    ("fault", "details", "status", "pushes"),
    [
        ("accept_502", {}, 502, ACCEPTED),
        ("accept_html", {}, 200, ACCEPTED),
        ("garbage_json", {}, 200, ACCEPTED),
        ("refuse_html", {}, 502, []),
        ("refuse_html", {"http_status": 200}, 200, []),
    ],
)
def test_an_answer_that_is_no_json(
    sandbox: Sandbox, fault: str, details: dict[str, Any], status: int, pushes: list[tuple[int, str]]
) -> None:
    switch_on(sandbox, fault, **details)
    answer = try_push(sandbox, timeout=5)
    assert answer.status_code == status
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert booked(sandbox) == pushes


def test_accepted_without_a_number(sandbox: Sandbox) -> None:
    switch_on(sandbox, "accept_no_number")
    answer = push(sandbox)
    assert (answer["code"], answer["data"]) == ("0000", None)
    assert booked(sandbox) == ACCEPTED


def test_rejected_with_words_of_choice(sandbox: Sandbox) -> None:
    switch_on(sandbox, "reject", code="4711", msg="库存不足")
    answer = push(sandbox)
    assert (answer["code"], answer["msg"], answer["data"]) == ("4711", "库存不足", None)
    assert booked(sandbox) == []


def test_refused_although_it_is_booked(sandbox: Sandbox) -> None:
    switch_on(sandbox, "accept_refuse", code="4712", msg="系统异常，请稍后查询订单结果")
    answer = push(sandbox)
    assert (answer["code"], answer["msg"], answer["data"]) == ("4712", "系统异常，请稍后查询订单结果", None)
    assert booked(sandbox) == ACCEPTED


def test_slow_books_at_once_and_answers_late(sandbox: Sandbox) -> None:
    switch_on(sandbox, "slow", seconds=0.3)
    started = time.monotonic()
    assert push(sandbox)["code"] == "0000"
    assert time.monotonic() - started >= 0.3
    assert booked(sandbox) == ACCEPTED


def test_drip_never_lets_a_read_time_out(sandbox: Sandbox) -> None:
    switch_on(sandbox, "drip", seconds=0.002)
    answer = post(sandbox, "Recharge/pushOrder", mobile_order(), timeout=0.2)
    assert answer.json()["code"] == "0000"
    assert answer.elapsed.total_seconds() > 0.2 - 0.05


def test_lost_and_json_callbacks_of_one_order(sandbox: Sandbox) -> None:
    with merchant() as shop:
        switch_on(sandbox, "lose_callbacks", times=1)
        switch_on(sandbox, "json_callbacks", times=1)
        push(sandbox, order_no="lost", notify_url=shop.url)
        push(sandbox, order_no="json", notify_url=shop.url)
        push(sandbox, order_no="form", notify_url=shop.url)
        until(lambda: len(shop.received) == 8)
        kinds = {callback["order_no"]: kind for callback, kind in zip(shop.received, shop.types, strict=True)}
    assert kinds == {"json": "application/json", "form": "application/x-www-form-urlencoded"}
    lost = until(lambda: len(found := order_in_books(sandbox, "lost")["callbacks"]) == 4 and found)
    assert {callback["answer"] for callback in lost} == {"lost"}


def test_late_callbacks_come_in_another_order() -> None:
    with Sandbox(pace=0.05, latency=0) as sandbox, merchant() as shop:
        switch_on(sandbox, "late_callbacks")
        push(sandbox, order_no="N", notify_url=shop.url)
        until(lambda: len(shop.received) == 4)
        assert order_in_books(sandbox, "N")["history"] == [6, 7, 1, 2]
        assert shop.statuses() == [2, 6, 7, 1]


def test_double_callbacks_come_twice_each(sandbox: Sandbox) -> None:
    with merchant() as shop:
        switch_on(sandbox, "double_callbacks")
        push(sandbox, notify_url=shop.url)
        until(lambda: len(shop.received) == 8)
    assert shop.statuses() == [6, 6, 7, 7, 1, 1, 2, 2]


@pytest.mark.parametrize("suffix", [suffix for suffix, special in SPECIALS.items() if special.fault])
def test_the_last_digits_choose_a_fault(sandbox: Sandbox, suffix: str) -> None:
    with contextlib.suppress(requests.RequestException):
        try_push(sandbox, mobile=f"13800138{suffix}")
    accepted = SPECIALS[suffix].fault not in ("reject", "refuse_html")
    assert booked(sandbox) == (ACCEPTED if accepted else [])
    control(sandbox, "settings", {"suffixes": 0})
    assert push(sandbox, mobile=f"13800138{suffix}")["code"] == "0000"


def test_a_fault_befalls_the_calls_it_was_meant_for(sandbox: Sandbox) -> None:
    switch_on(sandbox, "reject", endpoint="Recharge/query", suffix="4321")
    push(sandbox, order_no="A", mobile="13800134321")
    push(sandbox, order_no="B")
    assert call(sandbox, "Recharge/query", {"order_no": "A"})["msg"] == "通道维护中"
    assert call(sandbox, "Recharge/query", {"order_no": "B"})["code"] == "0000"
    switch_on(sandbox, "reject", endpoint="*")
    assert call(sandbox, "User/query")["msg"] == "通道维护中"
    control(sandbox, "faults", method="DELETE")
    assert call(sandbox, "User/query")["code"] == "0000"


def test_several_faults_play_one_after_the_other(sandbox: Sandbox) -> None:
    control(
        sandbox,
        "faults",
        [{"fault": "accept_502", "times": 1}, {"fault": "reject", "times": 1}, {"fault": "refuse_html", "times": 1}],
    )
    assert [try_push(sandbox).status_code for _ in range(4)] == [502, 200, 502, 200]
    assert len(booked(sandbox)) == 2
    assert [rule["used"] for rule in control(sandbox, "faults", method="GET")["faults"]] == [1, 1, 1]


def test_probability_repeats_itself() -> None:
    def fired() -> list[bool]:
        faults = Faults("seed")
        faults.add(Fault("reject", probability=0.3))
        return [faults.pick("Recharge/pushOrder", "") is not None for _ in range(1000)]

    assert 250 < sum(fired()) < 350
    assert fired() == fired()


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "nonsense"},
        {},
        ["reject"],
        {"fault": "slow", "seconds": "inf"},
        {"fault": "reject", "times": "x"},
        {"fault": "slow", "a": 1},
    ],
)
def test_a_fault_that_does_not_exist_is_an_error(sandbox: Sandbox, body: Any) -> None:
    answer = requests.post(sandbox.root_url + "sandbox/faults", json=body, timeout=5, headers={"Connection": "close"})
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert control(sandbox, "faults", method="GET") == {"faults": []}


def test_every_fault_leaves_the_connection_in_order(sandbox: Sandbox) -> None:
    """On one kept-alive connection: whoever keeps it open afterwards must be able to go on using it."""
    for fault in FAULTS.keys() - {"accept_hang", "accept_reset", "accept_truncated", "reset"}:
        switch_on(sandbox, fault, times=1, endpoint="*", seconds=0)
        connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=5)
        for _ in range(2):
            connection.request("POST", "/rest/User/query", b"")
            answer = connection.getresponse().read()
        assert json.loads(answer)["msg"] == "app_key不能为空", fault
        connection.close()
