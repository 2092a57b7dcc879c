"""What is sent, read from the raw bytes by other means than those which made them."""

import datetime as dt
import hashlib
import time
from decimal import Decimal
from typing import Any

import pytest

from portal.gateway import (
    Account,
    Acknowledgement,
    CardType,
    MobileInfo,
    OilCard,
    OilCardReceipt,
    OrderReport,
    PushReceipt,
    Speed,
)

from .servers import APP_KEY, PUSHED, SECRET, answering, client_for, http, push, serving


def yes(data: Any = None) -> dict[str, Any]:
    return {"code": "0000", "msg": "成功", "time": "1624868000", "data": data}


def decoded(encoded: bytes) -> dict[str, str]:
    """Decode a form by hand: no library that the client uses, too."""
    fields = {}
    for pair in encoded.split(b"&") if encoded else []:
        name, value = pair.split(b"=")
        parts = value.replace(b"+", b" ").split(b"%")
        raw = parts[0] + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in parts[1:])
        assert name.decode() not in fields
        fields[name.decode()] = raw.decode("utf-8")
    return fields


def taken_apart(request: bytes) -> tuple[str, dict[str, str], dict[str, str], dict[bytes, bytes]]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    method, target, version = line.split(b" ")
    assert (method, version) == (b"POST", b"HTTP/1.1")
    path, _, query = target.partition(b"?")
    names = dict(header.lower().split(b": ", 1) for header in headers)
    return path.decode(), decoded(query), decoded(body), names


ORDER = {"order_no": "A1", "face_value": 50, "notify_url": "https://portal.example/回调?a=1&b=2"}
ORDER_SENT = {"order_no": "A1", "notify_url": "https://portal.example/回调?a=1&b=2"}
CARD = {"card_number": "100011", "holder_name": "张 三", "holder_phone": "139", "national_id": "11010X"}
CARD_SENT = {"card_num": "100011", "name": "张 三", "phone": "139", "user_num": "11010X"}
PUSH_DATA = {"order_number": "W1", "amount": "50", "cost_price": 49.25, "fanli": "0.5"}
REPORT_DATA = {
    "order_number": 9007199254740993,
    "order_no": "A1",
    "status": "2",
    "mobile": "138",
    "amount": "50.00",
    "cost_price": 49.1,
    "fanli": 0,
    "arrived_amount": "50",
    "reason": "好",
    "org_order_number": None,
}
REPORT = {
    "order_no": "A1",
    "gateway_order_no": "9007199254740993",
    "status": 2,
    "mobile": "138",
    "face_value": Decimal("50.00"),
    "cost_price": Decimal("49.1"),
    "rebate": Decimal(0),
    "credited_amount": Decimal(50),
    "reason": "好",
}
RECEIPT = {
    "gateway_order_no": "W1",
    "face_value": 50,
    "cost_price": Decimal("49.25"),
    "rebate": Decimal("0.5"),
}
OIL_DATA = {"order_number": "W", "order_no": "A", "card_id": 7, "amount": 500, "status": 99}
OIL_REPORT = {
    "order_no": "A",
    "gateway_order_no": "W",
    "status": 99,
    "card_id": "7",
    "face_value": Decimal(500),
    "cost_price": None,
    "rebate": None,
    "credited_amount": None,
    "reason": "",
}

# method, arguments, path, body sent, data answered, type returned, its fields
CALLS = [
    (
        "push_mobile_order",
        {**ORDER, "mobile": "138", "speed": Speed.SLOW},
        "Recharge/pushOrder",
        {**ORDER_SENT, "store_id": "17", "mobile": "138", "money": "50", "recharge_type": "0"},
        PUSH_DATA,
        PushReceipt,
        RECEIPT,
    ),
    (
        "push_mobile_order",
        {**ORDER, "mobile": "138", "speed": Speed.FAST, "switch_channel": False, "channel": 0},
        "Recharge/pushOrder",
        {
            **ORDER_SENT,
            "store_id": "17",
            "mobile": "138",
            "money": "50",
            "recharge_type": "1",
            "change": "0",
            "source": "0",
        },
        {"order_number": 12},
        PushReceipt,
        {"gateway_order_no": "12", "face_value": None, "cost_price": None, "rebate": None},
    ),
    ("query_mobile_order", {"order_no": "A1"}, "Recharge/query", {"order_no": "A1"}, REPORT_DATA, OrderReport, REPORT),
    (
        "query_mobile_order",
        {"gateway_order_no": "W1"},
        "Recharge/query",
        {"order_number": "W1"},
        REPORT_DATA,
        OrderReport,
        REPORT,
    ),
    (
        "verify_mobile",
        {"mobile": "138", "face_value": 100, "speed": Speed.FAST},
        "Recharge/verify",
        {"mobile": "138", "amount": "100", "recharge_type": "1"},
        None,
        Acknowledgement,
        {"message": "成功"},
    ),
    (
        "mobile_info",
        {"mobile": "138"},
        "Recharge/mobileInfo",
        {"mobile": "138"},
        {"oisp": "移动", "nisp": "电信", "extend": {"prov": "广东", "city": "深圳", "more": [1]}},
        MobileInfo,
        {"original_carrier": "移动", "current_carrier": "电信", "province": "广东", "city": "深圳"},
    ),
    (
        "cancel_mobile_orders",
        {"gateway_order_nos": ["W1", "W2"]},
        "Recharge/cancel",
        {"order_number": "W1,W2"},
        [],
        Acknowledgement,
        {"message": "成功"},
    ),
    (
        "list_orders",
        {"order_type": 7, "start": dt.datetime(2026, 1, 2, 3), "end": dt.datetime(2026, 1, 2, 5)},
        "Order/orderList",
        {
            "store_id": "17",
            "order_type": "7",
            "query_type": "1",
            "start": "2026-01-02 03:00:00",
            "end": "2026-01-02 05:00:00",
            "page": "1",
            "page_size": "500",
        },
        {"total": 0},
        Acknowledgement,
        {"message": "成功"},
    ),
    *(
        (
            "forbid_other_ways",
            {"forbid": forbid},
            "Recharge/forbid",
            {"store_id": "17", "status": status},
            [],
            Acknowledgement,
            {"message": "成功"},
        )
        for forbid, status in ((True, "1"), (False, "0"))
    ),
    (
        "account",
        {},
        "User/query",
        {},
        {"money": "1234.50", "id": 5, "avatar": None},
        Account,
        {"account_id": "5", "balance": Decimal("1234.50")},
    ),
    (
        "add_oil_card",
        CARD,
        "Oil/addCard",
        {**CARD_SENT, "store_id": "17"},
        {"card_id": 7},
        OilCardReceipt,
        {"card_id": "7"},
    ),
    (
        "add_oil_card",
        {**CARD, "card_type": CardType.SINOPEC},
        "Oil/addCard",
        {**CARD_SENT, "store_id": "17", "card_type": "0"},
        {"id": "8"},
        OilCardReceipt,
        {"card_id": "8"},
    ),
    (
        "edit_oil_card",
        {**CARD, "card_id": "7", "card_type": CardType.PETROCHINA},
        "Oil/editCard",
        {**CARD_SENT, "card_id": "7", "card_type": "1"},
        None,
        Acknowledgement,
        {"message": "成功"},
    ),
    (
        "delete_oil_card",
        {"card_id": "7"},
        "Oil/delCard",
        {"card_id": "7"},
        None,
        Acknowledgement,
        {"message": "成功"},
    ),
    (
        "oil_card_info",
        {"card_id": "7"},
        "Oil/cardInfo",
        {"card_id": "7"},
        {"id": 7, **CARD_SENT, "card_type": "1"},
        OilCard,
        {**CARD, "card_id": "7", "card_type": CardType.PETROCHINA},
    ),
    (
        "push_oil_order",
        {**ORDER, "card_id": "7", "face_value": 500, "speed": Speed.SLOW},
        "Oil/pushOrder",
        {**ORDER_SENT, "store_id": "17", "cardId": "7", "amount": "500", "recharge_type": "0"},
        PUSH_DATA,
        PushReceipt,
        RECEIPT,
    ),
    ("query_oil_order", {"order_no": "A"}, "Oil/query", {"order_no": "A"}, OIL_DATA, OrderReport, OIL_REPORT),
    (
        "query_oil_order",
        {"gateway_order_no": "W"},
        "Oil/query",
        {"order_number": "W"},
        OIL_DATA,
        OrderReport,
        OIL_REPORT,
    ),
    (
        "cancel_oil_orders",
        {"gateway_order_nos": ("W1",)},
        "Oil/cancel",
        {"order_number": "W1"},
        None,
        Acknowledgement,
        {"message": "成功"},
    ),
]


@pytest.mark.parametrize(("method", "arguments", "path", "sent", "data", "kind", "expected"), CALLS)
def test_a_call_sends_what_it_signed_and_returns_what_it_got(
    method: str,
    arguments: dict[str, Any],
    path: str,
    sent: dict[str, str],
    data: Any,
    kind: type[Any],
    expected: dict[str, Any],
) -> None:
    with serving(answering(http(yes(data)))) as server:
        result = getattr(client_for(server.url, client_ip="10.0.0.9"), method)(**arguments)

    (request,) = server.requests
    requested_path, system, business, headers = taken_apart(request)
    assert requested_path == f"/rest/{path}"
    assert business == sent
    signature = system.pop("sign")
    timestamp = system.pop("timestamp")
    assert system == {"app_key": APP_KEY, "client": "10.0.0.9", "v": "1.0", "format": "json"}
    assert abs(int(timestamp) - time.time()) < 5
    everything = sorted({**system, **business, "timestamp": timestamp}.items())
    signed = SECRET + "".join(name + value for name, value in everything) + SECRET
    assert signature == hashlib.md5(signed.encode("utf-8")).hexdigest().upper()
    assert headers[b"content-type"] == b"application/x-www-form-urlencoded"
    assert headers[b"accept-encoding"] == b"identity"
    assert type(result) is kind
    assert {name: getattr(result, name) for name in expected} == expected
    assert result.raw == http(yes(data)).partition(b"\r\n\r\n")[2].decode()


def test_every_public_method_is_among_the_calls() -> None:
    methods = {name for name in dir(client_for("http://127.0.0.1:1")) if not name.startswith("_")}
    assert methods - {"close"} == {call[0] for call in CALLS}


WRONG_USE = [
    ("query_mobile_order", {}),
    ("query_mobile_order", {"order_no": "1", "gateway_order_no": "2"}),
    ("query_mobile_order", {"order_no": ""}),
    ("query_oil_order", {"gateway_order_no": " "}),
    ("query_oil_order", {"order_no": 5}),
    ("cancel_mobile_orders", {"gateway_order_nos": []}),
    ("cancel_mobile_orders", {"gateway_order_nos": "123"}),
    ("cancel_mobile_orders", {"gateway_order_nos": ["1,2"]}),
    ("cancel_oil_orders", {"gateway_order_nos": [""]}),
    ("mobile_info", {"mobile": "\ud800"}),
    ("mobile_info", {"mobile": "13\x0000"}),
    ("mobile_info", {"mobile": "1" * 3000}),
    ("delete_oil_card", {"card_id": ""}),
    ("verify_mobile", {"mobile": "138", "face_value": 50, "speed": 2}),
    ("verify_mobile", {"mobile": "138", "face_value": 0, "speed": 1}),
    ("verify_mobile", {"mobile": "138", "face_value": 50.0, "speed": 1}),
    ("verify_mobile", {"mobile": "138", "face_value": True, "speed": 1}),
]


@pytest.mark.parametrize(("method", "arguments"), WRONG_USE)
def test_wrong_use_is_a_value_error_and_sends_nothing(method: str, arguments: dict[str, Any]) -> None:
    with serving(answering(http(PUSHED))) as server:
        with pytest.raises(ValueError, match=r"must|give|not a valid Speed"):
            getattr(client_for(server.url), method)(**arguments)
        with pytest.raises(ValueError, match="order_no"):
            push(client_for(server.url), order_no="")
    assert server.connections == 0


@pytest.mark.parametrize(
    "base_url",
    [
        "http://router.wikeyun.cn/rest/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://2130706433.example/",
        "ftp://127.0.0.1/",
        "https://user:secret@router.wikeyun.cn/",
        "http://127.0.0.1\\@example.com/",
        "https://router.wikeyun.cn/rest/?a=1",
        "https://router.wikeyun.cn/rest/#a",
        "https://router.wikeyun.cn:0/",
        "https://router.wikeyun.cn:99999/",
        "https://router.wikeyun.cn/\r\nX: 1/",
        "//127.0.0.1/",
        "",
    ],
)
def test_an_unsafe_base_url_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        client_for(base_url)


@pytest.mark.parametrize(
    ("base_url", "options"),
    [
        ("https://router.wikeyun.cn/rest", {}),
        ("http://localhost:8000", {}),
        ("http://[::1]:8000/rest/", {}),
        ("http://127.8.8.8/", {}),
        ("http://sandbox:8000/rest/", {"allow_insecure": True}),
    ],
)
def test_a_safe_base_url_is_taken_and_shown(base_url: str, options: dict[str, Any]) -> None:
    assert repr(client_for(base_url, **options)) == f"<Client {base_url.rstrip('/')}/>"


@pytest.mark.parametrize("timeouts", [{"timeout": 0}, {"timeout": float("inf")}, {"connect_timeout": float("nan")}])
def test_a_timeout_that_is_none_is_refused(timeouts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="timeout"):
        client_for("https://router.wikeyun.cn/rest/", **timeouts)
