"""Driving the sandbox by hand: over JSON, from the page, and from the command line."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.sandbox import Sandbox
from portal.sandbox.lives import LIVES, SPECIALS

from .wire import CARD, books, call, control, merchant, mobile_order, money_and_orders, order_in_books, push, until

CLOSE = {"Connection": "close"}


def test_an_order_is_driven_anywhere_and_its_life_ends() -> None:
    with Sandbox(pace=60, latency=0) as sandbox, merchant() as shop:
        push(sandbox, order_no="N", notify_url=shop.url)
        for status in (2, 7, 99):
            control(sandbox, "orders/N/status", {"status": status})
        until(lambda: len(shop.received) == 3)
        assert shop.statuses() == [2, 7, 99]
        assert order_in_books(sandbox, "N")["history"] == [6, 2, 7, 99]
        assert control(sandbox, "summary.json", method="GET")["lives_under_way"] == 0


def test_a_callback_is_sent_twice_or_not_at_all_or_lies(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"life": "stuck"})
    with merchant() as shop:
        push(sandbox, order_no="N", notify_url=shop.url)
        control(sandbox, "orders/N/status", {"status": 3, "callback": 0})
        control(sandbox, "orders/N/status", {"status": 1, "times": 2})
        control(sandbox, "orders/N/status", {"status": 2, "books": 0})
        until(lambda: len(shop.received) == 4)
        assert shop.statuses() == [1, 1, 1, 2]
    assert order_in_books(sandbox, "N")["history"] == [1, 3, 1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "x"},
        {"status": 2, "times": "y"},
        {"status": 10**30},
        {"status": 2, "times": 101},
        {"status": 2, "bookz": 1},
    ],
)
def test_a_wrong_order_to_an_order_changes_nothing(sandbox: Sandbox, body: dict[str, Any]) -> None:
    control(sandbox, "settings", {"life": "stuck"})
    push(sandbox, order_no="N")
    before = order_in_books(sandbox, "N")["history"]
    answer = requests.post(f"{sandbox.root_url}sandbox/orders/N/status", json=body, timeout=5, headers=CLOSE)
    assert answer.status_code == 400
    assert order_in_books(sandbox, "N")["history"] == before


@pytest.mark.parametrize(
    "body",
    [
        {"pace": -1},
        {"pace": "x"},
        {"life": "x"},
        {"duplicates": "x"},
        {"app_key": "x"},
        {"callbacks": 7},
        {"pace": "inf"},
        {"latency": "nan"},
    ],
)
def test_a_wrong_setting_changes_nothing(sandbox: Sandbox, body: dict[str, Any]) -> None:
    before = control(sandbox, "settings", method="GET")
    answer = requests.post(f"{sandbox.root_url}sandbox/settings", json={"latency": 1, **body}, timeout=5, headers=CLOSE)
    assert answer.status_code == 400
    assert control(sandbox, "settings", method="GET") == before


@pytest.mark.parametrize("deposit", ["x", "0.001", "-100000.01", "NaN", "Infinity", "1e30"])
def test_a_wrong_deposit_changes_nothing(sandbox: Sandbox, deposit: str) -> None:
    before = money_and_orders(sandbox)
    answer = requests.post(f"{sandbox.root_url}sandbox/settings", data={"deposit": deposit}, timeout=5, headers=CLOSE)
    assert answer.status_code == 400
    assert money_and_orders(sandbox) == before


@pytest.mark.parametrize("path", ["sandbox/nothing", "sandbox/orders/X/status", "nothing"])
def test_an_unknown_address_is_not_found(sandbox: Sandbox, path: str) -> None:
    answer = requests.post(sandbox.root_url + path, json={"status": 1}, timeout=5, headers=CLOSE)
    assert answer.status_code == 404


def test_a_quicker_pace_hurries_what_is_waiting() -> None:
    with Sandbox(pace=1000, latency=0) as sandbox:
        push(sandbox, order_no="N")
        control(sandbox, "settings", {"pace": 0})
        until(lambda: order_in_books(sandbox, "N")["status"] == 2)


def test_a_process_that_starts_anew_does_not_wait_at_the_pace_of_the_last_one(tmp_path: Path) -> None:
    books = tmp_path / "books.sqlite3"
    with Sandbox(pace=1, latency=0, books=books) as sandbox:
        control(sandbox, "settings", {"pace": 1000})
        push(sandbox, order_no="N")
    with Sandbox(pace=1, latency=0, books=books) as sandbox:
        control(sandbox, "settings", {"pace": 0.01})
        until(lambda: order_in_books(sandbox, "N")["status"] == 2)


def test_every_push_that_came_in_is_counted_whatever_became_of_it(sandbox: Sandbox) -> None:
    control(sandbox, "faults", {"fault": "reject", "times": 1})
    for order_no in "ABA":
        push(sandbox, order_no=order_no)
    summary = control(sandbox, "summary.json", method="GET")
    assert (summary["received_twice"], summary["double_spent"], summary["pushes"]) == (["A"], [], 2)


def test_the_books_say_when_the_money_went_and_when_it_came_back(sandbox: Sandbox) -> None:
    push(sandbox, order_no="kept")
    push(sandbox, order_no="failed", mobile="13800138001")
    until(lambda: order_in_books(sandbox, "failed")["status"] == 4)
    failed, kept = order_in_books(sandbox, "failed"), order_in_books(sandbox, "kept")
    assert kept["created_at"] <= failed["created_at"] <= failed["returned_at"]
    assert kept["returned_at"] is None


def test_the_books_can_be_read_from_where_one_left_off(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"life": "stuck", "duplicates": "accept"})
    for order_no in "AB":
        push(sandbox, order_no=order_no)
    seen = books(sandbox)["orders"][-1]["id"]
    push(sandbox, order_no="C")
    push(sandbox, order_no="A")
    later = books(sandbox, f"?since={seen}")["orders"]
    assert [(order["order_no"], order["pushes"]) for order in later] == [("A", 2), ("C", 1)]
    call(sandbox, "User/query")
    assert books(sandbox)["calls"] == {"Recharge/pushOrder": 4, "User/query": 1}


def test_the_page_shows_orders_and_never_runs_what_they_say(sandbox: Sandbox) -> None:
    control(sandbox, "faults", {"fault": "accept_502", "times": 1, "suffix": "<i>"})
    push(sandbox, order_no="<script>alert(1)</script>")
    page = requests.get(sandbox.root_url, timeout=5, headers=CLOSE).text
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert "<i>" not in page
    assert all(f"…{suffix}" in page for suffix in SPECIALS)


def test_the_page_tells_a_cards_id_and_nothing_of_its_holder(sandbox: Sandbox) -> None:
    call(sandbox, "Oil/addCard", CARD)
    (card,) = books(sandbox)["cards"]
    page = requests.get(sandbox.root_url, timeout=5, headers=CLOSE).text
    assert f"<td>{card['id']}<td>{CARD['card_num']}<td>中石化" in page
    assert not [name for name in ("name", "phone", "user_num") if CARD[name] in page]


def test_the_pages_forms_lead_back_to_it(sandbox: Sandbox) -> None:
    push(sandbox, order_no="甲/1")
    page = requests.get(sandbox.root_url, timeout=5, headers=CLOSE).text
    action = re.search(r'action="(/sandbox/orders/[^"]+)"', page)
    assert action
    answer = requests.post(
        sandbox.root_url.rstrip("/") + action[1],
        data={"back": "1", "status": "11"},
        timeout=5,
        headers=CLOSE,
        allow_redirects=False,
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert books(sandbox)["orders"][0]["status"] == 11
    form = {"back": "1", "fault": "slow", "times": "", "probability": "", "endpoint": "*", "suffix": "", "seconds": "0"}
    requests.post(f"{sandbox.root_url}sandbox/faults", data=form, timeout=5, headers=CLOSE)
    assert control(sandbox, "faults", method="GET")["faults"][0]["times"] is None


def test_a_restart_keeps_the_books_and_lives_go_on(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite3"
    with Sandbox(pace=1000, latency=0, books=path) as sandbox:
        push(sandbox, order_no="N", mobile="13800138001")
        before = money_and_orders(sandbox)
    with Sandbox(pace=1000, latency=0, books=path, balance="5") as sandbox:
        assert money_and_orders(sandbox) == before
        assert push(sandbox, order_no="N")["msg"] == "订单号已存在"
        control(sandbox, "settings", {"pace": 0})
        until(lambda: order_in_books(sandbox, "N")["history"] == list(LIVES["fail"]))
        assert books(sandbox)["balance"] == "100000.00"
    with Sandbox(books=path, fresh=True, balance="5") as sandbox:
        assert money_and_orders(sandbox) == ("5.00", "5.00", [], [])


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.sandbox", "--port", "0", *arguments],
        cwd=Path(__file__).parents[3],
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    listening = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
    assert listening
    return process, listening[1]


class Elsewhere:
    """A sandbox in another process, as far as the tests talk to one."""

    def __init__(self, url: str) -> None:
        self.root_url, self.base_url = f"{url}/", f"{url}/rest/"


def test_a_killed_process_has_kept_what_it_answered_and_goes_on(tmp_path: Path) -> None:
    options = ("--books", str(tmp_path / "books.sqlite3"), "--latency", "0")
    with merchant(*[(500, "")] * 3) as shop:
        process, url = start(*options, "--pace", "0.4")
        try:
            order = mobile_order(notify_url=shop.url)
            number = call(Elsewhere(url), "Recharge/pushOrder", order)["data"]["order_number"]
        finally:
            process.kill()
            process.communicate()
        process, url = start(*options, "--pace", "0.02")
        try:
            booked = until(lambda: (o := order_in_books(Elsewhere(url), order["order_no"]))["status"] == 2 and o)
            assert booked["order_number"] == str(number)
            until(lambda: set(shop.statuses()) == {6, 7, 1, 2})
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=5)
    assert (process.returncode, output) == (0, "")


def test_it_stops_at_once_with_calls_and_callbacks_under_way(tmp_path: Path) -> None:
    with merchant() as shop:
        process, url = start("--books", str(tmp_path / "books.sqlite3"), "--latency", "30", "--pace", "30")
        control(Elsewhere(url), "settings", {"latency": 0})
        push(Elsewhere(url), notify_url=shop.url)
        control(Elsewhere(url), "faults", {"fault": "accept_hang"})
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{url}/rest/User/pushOrder", timeout=0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=3)
    assert process.returncode == 0


def test_it_needs_nothing_of_the_project() -> None:
    """Not even Django: importing it leaves only the standard library behind."""
    program = (
        "import sys, portal.sandbox.command_line;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names));"
        "print(*sorted(name for name in sys.modules if name.startswith('portal.') and 'sandbox' not in name))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {name for name in output[0].split() if not name.startswith("_")} <= {"portal", "distutils"}
    assert output[1] == ""
