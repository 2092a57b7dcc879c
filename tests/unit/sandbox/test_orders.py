"""Orders and cards: pushing, asking, cancelling, and what they do to the money."""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.sandbox import Sandbox
from portal.sandbox.lives import LIVES, WEIGHTS, choose_life

from .wire import CARD, books, call, control, mobile_order, money_and_orders, order_in_books, push, until


def ended(sandbox: Sandbox, order_no: str, history: Sequence[int]) -> None:
    until(lambda: order_in_books(sandbox, order_no)["history"] == list(history))


@pytest.mark.parametrize("life", LIVES)
def test_an_order_leads_the_life_it_was_given(life: str) -> None:
    with Sandbox(pace=0, latency=0, life=life) as sandbox:
        push(sandbox, order_no="N")
        ended(sandbox, "N", LIVES[life])
        order = order_in_books(sandbox, "N")
        assert order["returned"] == ("49.00" if LIVES[life][-1] == 4 else "0.00")
        report = books(sandbox)
        assert report["balance"] == report["ledger_total"] == ("100000.00" if LIVES[life][-1] == 4 else "99951.00")


@pytest.mark.parametrize(
    ("suffix", "life"), [("001", "fail"), ("002", "timeout_then_success"), ("003", "partial"), ("005", "stuck")]
)
def test_the_last_digits_choose_a_life(suffix: str, life: str) -> None:
    assert choose_life("N", f"13800138{suffix}", default="quick", seed="", suffixes=True) == LIVES[life]
    assert choose_life("N", f"13800138{suffix}", default="quick", seed="", suffixes=False) == LIVES["quick"]


def test_the_mix_has_every_life_and_repeats_itself() -> None:
    def lives() -> list[Any]:
        return [
            choose_life(f"N{number}", "13800138000", default="mix", seed="s", suffixes=True) for number in range(1000)
        ]

    assert set(lives()) == {LIVES[name] for name in WEIGHTS} == set(LIVES.values())
    assert lives() == lives()


@pytest.mark.parametrize(
    ("changes", "price"),
    [({}, "49.00"), ({"recharge_type": "0"}, "47.50"), ({"source": "6"}, "47.00"), ({"money": "200"}, "196.00")],
)
def test_a_push_spends_its_price(sandbox: Sandbox, changes: dict[str, str], price: str) -> None:
    push(sandbox, order_no="N", **changes)
    assert order_in_books(sandbox, "N")["spent"] == price


def test_a_push_beyond_the_balance_is_refused() -> None:
    with Sandbox(pace=0, latency=0, balance="48.99") as sandbox:
        before = money_and_orders(sandbox)
        assert push(sandbox)["msg"] == "余额不足"
        assert money_and_orders(sandbox) == before
        control(sandbox, "settings", {"deposit": "0.01"})
        assert push(sandbox)["code"] == "0000"
        assert books(sandbox)["balance"] == "0.00"


def test_the_balance_cannot_be_overdrawn_by_pushes_at_once() -> None:
    with Sandbox(pace=0, latency=0, balance="490", life="stuck") as sandbox, ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: push(sandbox)["code"], range(30)))
        assert codes.count("0000") == 10
        assert books(sandbox)["balance"] == "0.00"


def test_an_order_no_is_accepted_once(sandbox: Sandbox) -> None:
    first = push(sandbox, order_no="N")
    assert first["code"] == "0000"
    before = books(sandbox)["balance"]
    assert push(sandbox, order_no="N")["msg"] == "订单号已存在"
    assert (order_in_books(sandbox, "N")["pushes"], books(sandbox)["balance"]) == (1, before)


def test_a_careless_platform_spends_twice_and_it_shows(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"duplicates": "accept"})
    numbers = {str(push(sandbox, order_no="N")["data"]["order_number"]) for _ in range(2)}
    assert len(numbers) == 2
    order = order_in_books(sandbox, "N")
    assert (order["pushes"], order["spent"], len(order["copies"])) == (2, "98.00", 1)
    assert {order["order_number"], order["copies"][0]["order_number"]} == numbers
    summary = control(sandbox, "summary.json", method="GET")
    assert (summary["orders"], summary["pushes"], summary["double_spent"]) == (1, 2, ["N"])
    assert summary["balance"] == "99902.00"


def test_a_kind_platform_answers_with_the_first_number(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"duplicates": "same"})
    assert len({push(sandbox, order_no="N")["data"]["order_number"] for _ in range(2)}) == 1
    assert order_in_books(sandbox, "N")["pushes"] == 1


def test_money_comes_back_once_however_often_it_is_said(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"life": "stuck"})
    push(sandbox, order_no="N")
    for status in (3, 4, 4, 2, 10, 4):
        control(sandbox, "orders/N/status", {"status": status})
    assert order_in_books(sandbox, "N")["history"] == [1, 3, 4, 4, 2, 10, 4]
    assert order_in_books(sandbox, "N")["returned"] == "49.00"
    assert books(sandbox)["balance"] == books(sandbox)["ledger_total"] == "100000.00"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 0",
        "DELETE FROM ledger",
        "INSERT INTO ledger (order_id, kind, amount, balance, at) VALUES (1, 'return', 4900, 1, 0)",
        "INSERT INTO ledger (order_id, kind, amount, balance, at) VALUES (NULL, 'deposit', -1, -1, 0)",
    ],
)
def test_the_ledger_cannot_be_rewritten_nor_money_returned_twice(sandbox: Sandbox, statement: str) -> None:
    push(sandbox, order_no="N", mobile="13800138001")
    ended(sandbox, "N", LIVES["fail"])
    with pytest.raises(sqlite3.IntegrityError), sandbox.books.transaction() as connection:
        connection.execute(statement)
    assert books(sandbox)["balance"] == books(sandbox)["ledger_total"] == "100000.00"


@pytest.mark.parametrize("by", ["order_no", "order_number"])
def test_an_order_is_found_by_either_number(sandbox: Sandbox, by: str) -> None:
    number = str(push(sandbox, order_no="N")["data"]["order_number"])
    ended(sandbox, "N", LIVES["success"])
    data = call(sandbox, "Recharge/query", {by: {"order_no": "N", "order_number": number}[by]})["data"]
    assert (str(data["order_number"]), data["order_no"], int(data["status"])) == (number, "N", 2)
    assert (str(data["mobile"]), int(data["amount"]), float(data["cost_price"])) == ("13800138000", 50, 49.0)
    assert (float(data["arrived_amount"]), float(data["fanli"])) == (50.0, 0.5)


def test_without_extras_a_query_says_what_the_document_says(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"extras": 0})
    push(sandbox, order_no="N")
    data = call(sandbox, "Recharge/query", {"order_no": "N"})["data"]
    assert set(data) == {"order_number", "status", "mobile", "amount", "order_no"}


def test_an_unknown_order_and_one_of_the_other_product_are_not_found(sandbox: Sandbox) -> None:
    push(sandbox, order_no="N")
    assert call(sandbox, "Recharge/query", {"order_no": "X"})["msg"] == "订单不存在"
    assert call(sandbox, "Oil/query", {"order_no": "N"})["msg"] == "订单不存在"
    assert call(sandbox, "Recharge/query", {})["msg"] == "order_number不能为空"


def test_orders_are_cancelled_together_or_not_at_all(sandbox: Sandbox) -> None:
    control(sandbox, "settings", {"life": "stuck"})
    first, second = (str(push(sandbox, order_no=name)["data"]["order_number"]) for name in "AB")
    control(sandbox, "orders/B/status", {"status": 2})
    assert call(sandbox, "Recharge/cancel", {"order_number": f"{first},{second}"})["msg"] == "订单不可取消"
    assert call(sandbox, "Recharge/cancel", {"order_number": f"{first},1"})["msg"] == "订单不存在"
    assert order_in_books(sandbox, "A")["history"] == [1]
    assert call(sandbox, "Recharge/cancel", {"order_number": first})["code"] == "0000"
    ended(sandbox, "A", (1, 12, 9, 4))
    assert order_in_books(sandbox, "A")["returned"] == "49.00"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "可以下单"),
        ({"mobile": "17100138000"}, "虚拟运营商号码不支持充值"),
        ({"mobile": "13800138012"}, "携号转网号码不支持充值"),
        ({"amount": "30"}, "充值面值不支持"),
        ({"recharge_type": ""}, "recharge_type不能为空"),
    ],
)
def test_verify_says_whether_it_may_be_ordered(sandbox: Sandbox, changes: dict[str, str], message: str) -> None:
    answer = call(
        sandbox, "Recharge/verify", {"mobile": "13800138000", "amount": "50", "recharge_type": "1", **changes}
    )
    assert (answer["msg"], answer["code"] == "0000") == (message, message == "可以下单")


def test_mobile_info_tells_a_ported_number(sandbox: Sandbox) -> None:
    data = call(sandbox, "Recharge/mobileInfo", {"mobile": "13800138000"})["data"]
    assert data["oisp"] == data["nisp"]
    assert data["extend"]["prov"]
    ported = call(sandbox, "Recharge/mobileInfo", {"mobile": "13800138012"})["data"]
    assert ported["oisp"] != ported["nisp"]


def test_a_card_is_added_shown_changed_and_deleted(sandbox: Sandbox) -> None:
    (card_id,) = call(sandbox, "Oil/addCard", CARD)["data"].values()
    named = {"card_id": str(card_id)}
    shown = call(sandbox, "Oil/cardInfo", named)["data"]
    assert (str(shown["id"]), shown["name"], int(shown["card_type"])) == (str(card_id), "张三", 0)
    changed = {**named, **CARD, "name": "李四", "card_type": "1"}
    del changed["store_id"]
    assert call(sandbox, "Oil/editCard", changed)["code"] == "0000"
    assert call(sandbox, "Oil/cardInfo", named)["data"]["name"] == "李四"
    assert call(sandbox, "Oil/delCard", named)["code"] == "0000"
    for endpoint in ("Oil/cardInfo", "Oil/delCard"):
        assert call(sandbox, endpoint, named)["msg"] == "油卡不存在"
    assert books(sandbox)["cards"][0]["deleted"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name不能为空"),
        ({"card_num": "12"}, "油卡号格式错误"),
        ({"user_num": "123"}, "身份证号格式错误"),
        ({"phone": "1"}, "手机号码格式错误"),
        ({"card_type": "2"}, "参数错误"),
        ({"store_id": "7"}, "店铺不存在"),
    ],
)
def test_a_wrong_card_is_refused(sandbox: Sandbox, changes: dict[str, str], message: str) -> None:
    assert call(sandbox, "Oil/addCard", {**CARD, **changes})["msg"] == message
    assert books(sandbox)["cards"] == []


def test_oil_is_pushed_to_a_card_and_asked_for(sandbox: Sandbox) -> None:
    (card_id,) = call(sandbox, "Oil/addCard", CARD)["data"].values()
    order = mobile_order(order_no="O", cardId=str(card_id), amount="500", recharge_type="0")
    for name in ("mobile", "money"):
        del order[name]
    assert call(sandbox, "Oil/pushOrder", {**order, "amount": "50"})["msg"] == "充值面值不支持"
    assert call(sandbox, "Oil/pushOrder", {**order, "cardId": "99"})["msg"] == "油卡不存在"
    pushed = call(sandbox, "Oil/pushOrder", order)["data"]
    assert float(pushed["cost_price"]) == 475.0
    ended(sandbox, "O", LIVES["success"])
    data = call(sandbox, "Oil/query", {"order_number": str(pushed["order_number"])})["data"]
    assert (data["order_no"], int(data["status"]), str(data["card_id"])) == ("O", 2, str(card_id))
    assert books(sandbox)["balance"] == "99525.00"
