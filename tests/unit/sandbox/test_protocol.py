"""The wire format, and what is refused."""

import time
from collections.abc import Callable

import pytest
import requests

from portal.sandbox import Sandbox
from portal.sandbox.protocol import Dialect, signature, yuan

from .wire import books, call, mobile_order, money_and_orders, order_in_books, post, push, sign

GOLDEN = {
    "app_key": "123",
    "mobile": "15978771435",
    "money": "50",
    "notify_url": "http://127.1.0.1",
    "order_no": "20216006496",
    "recharge_type": "1",
    "store_id": "1",
    "timestamp": "1636430302",
    "v": "1.0",
}


@pytest.mark.parametrize("compute", [signature, sign])
def test_the_published_example_has_the_published_signature(compute: Callable[[dict[str, str], str], str]) -> None:
    assert compute(GOLDEN, "456") == "7A48D8D40D7EE5849A81A711C8A6BF24"


def test_the_sign_itself_is_not_signed() -> None:
    assert signature({**GOLDEN, "sign": "x"}, "456") == "7A48D8D40D7EE5849A81A711C8A6BF24"


def test_values_are_signed_raw_and_sent_encoded(sandbox: Sandbox) -> None:
    assert push(sandbox, order_no="甲 &=+/1", notify_url="http://127.0.0.1:9/?a=1&b=中")["code"] == "0000"
    assert books(sandbox)["orders"][0]["order_no"] == "甲 &=+/1"


def test_a_push_is_answered_with_the_platforms_number(sandbox: Sandbox) -> None:
    order = mobile_order()
    answer = call(sandbox, "Recharge/pushOrder", order)
    assert (answer["code"], answer["msg"]) == ("0000", "推送成功")
    booked = order_in_books(sandbox, order["order_no"])
    assert str(answer["data"]["order_number"]) == booked["order_number"]
    assert (booked["target"], booked["amount"], booked["pushes"], booked["spent"]) == ("13800138000", 50, 1, "49.00")


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ({"app_key": ""}, "app_key不能为空"),
        ({"timestamp": ""}, "timestamp不能为空"),
        ({"v": ""}, "v不能为空"),
        ({"sign": ""}, "sign不能为空"),
        ({"app_key": "other"}, "app_key无效"),
        ({"sign": "0" * 32}, "签名错误"),
        ({"sign": "é"}, "签名错误"),
        ({"v": "2.0"}, "版本号错误"),
        ({"format": "xml"}, "版本号错误"),
        ({"timestamp": "now"}, "请求已过期"),
    ],
)
def test_a_caller_who_is_not_proved_is_refused(sandbox: Sandbox, system: dict[str, str], message: str) -> None:
    before = money_and_orders(sandbox)
    answer = call(sandbox, "Recharge/pushOrder", mobile_order(), **system)
    assert (answer["msg"], answer["data"]) == (message, None)
    assert (answer["code"] == "1003") == ("不能为空" in message)
    assert money_and_orders(sandbox) == before


@pytest.mark.parametrize("seconds", [-400, 1000])
def test_a_caller_whose_clock_is_wrong_is_refused(sandbox: Sandbox, seconds: int) -> None:
    before = money_and_orders(sandbox)
    answer = call(sandbox, "Recharge/pushOrder", mobile_order(), timestamp=str(int(time.time()) + seconds))
    assert (answer["msg"], answer["data"]) == ("请求已过期", None)
    assert money_and_orders(sandbox) == before


def test_a_lowercase_signature_is_refused(sandbox: Sandbox) -> None:
    assert call(sandbox, "User/query", sign=sign(GOLDEN).lower())["msg"] == "签名错误"


def test_system_parameters_may_do_without_client_and_format(sandbox: Sandbox) -> None:
    assert call(sandbox, "User/query", client="", format="")["code"] == "0000"


@pytest.mark.parametrize("name", ["store_id", "mobile", "order_no", "money", "recharge_type", "notify_url"])
@pytest.mark.parametrize("left_out", [True, False])
def test_a_missing_or_empty_parameter_is_named(sandbox: Sandbox, name: str, left_out: bool) -> None:
    before = money_and_orders(sandbox)
    order = mobile_order(**{name: ""})
    if left_out:
        del order[name]
    answer = call(sandbox, "Recharge/pushOrder", order)
    assert (answer["code"], answer["msg"], answer["data"]) == ("1003", f"{name}不能为空", None)
    assert money_and_orders(sandbox) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"store_id": "2"}, "店铺不存在"),
        ({"mobile": "12800138000"}, "手机号码格式错误"),
        ({"mobile": "1380013800"}, "手机号码格式错误"),
        ({"mobile": "17000138000"}, "虚拟运营商号码不支持充值"),
        ({"mobile": "13800138012"}, "携号转网号码不支持充值"),
        ({"money": "30"}, "充值面值不支持"),
        ({"money": "50.00"}, "充值面值不支持"),
        ({"money": "-50"}, "充值面值不支持"),
        ({"recharge_type": "2"}, "参数错误"),
        ({"change": "2"}, "参数错误"),
        ({"source": "x"}, "参数错误"),
    ],
)
def test_a_value_that_cannot_be_is_refused(sandbox: Sandbox, changes: dict[str, str], message: str) -> None:
    before = money_and_orders(sandbox)
    answer = push(sandbox, **changes)
    assert (answer["code"] != "0000", answer["msg"], answer["data"]) == (True, message, None)
    assert money_and_orders(sandbox) == before


def test_a_parameter_sent_twice_is_refused(sandbox: Sandbox) -> None:
    body = "&".join(f"{name}={value}" for name, value in mobile_order().items()) + "&money=50"
    answer = requests.post(
        sandbox.base_url + "Recharge/pushOrder",
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"},
        timeout=5,
    ).json()
    assert answer["msg"] == "请求格式错误"


def test_a_get_a_json_body_and_an_unknown_call_are_refused(sandbox: Sandbox) -> None:
    url, close = sandbox.base_url + "User/query", {"Connection": "close"}
    assert requests.get(url, timeout=5, headers=close).json()["msg"] == "请求方式错误"
    assert requests.post(url, json={"a": 1}, timeout=5, headers=close).json()["msg"] == "请求方式错误"
    assert call(sandbox, "Recharge/nothing")["msg"] == "接口不存在"


def test_the_spelling_of_values_varies_but_not_for_the_same_order() -> None:
    dialects = [Dialect.of(f"N{number}") for number in range(60)]
    assert {type(dialect.integer(1)) for dialect in dialects} == {int, str}
    assert {str(dialect.money(10000)) for dialect in dialects} == {"100", "100.00"}
    assert {dialect.money(9850) for dialect in dialects} == {"98.50", 98.5}
    assert {type(dialect.envelope("0000", "", None, 0.0).get("time")) for dialect in dialects} == {int, str, type(None)}
    assert dialects == [Dialect.of(f"N{number}") for number in range(60)]


@pytest.mark.parametrize(("fen", "text"), [(4900, "49.00"), (5, "0.05"), (-150, "-1.50"), (0, "0.00")])
def test_money_is_written_exactly(fen: int, text: str) -> None:
    assert yuan(fen) == text


def test_the_balance_is_asked_without_business_parameters(sandbox: Sandbox) -> None:
    answer = post(sandbox, "User/query", {}).json()
    assert answer["data"]["money"] == "100000.00"
    assert "id" in answer["data"]
