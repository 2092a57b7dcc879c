"""What PHP does to answers, and what of it is safe to read; the way to the platform; what may be left out."""

import datetime as dt
import json
import socket
import ssl
from decimal import Decimal

import pytest

from portal.gateway import OrderType, OutcomeUnknown, Rejected, platform_time
from portal.gateway.reaching import Place, addresses, connect, shake_hands

from .servers import PUSHED, answering, client_for, http, push, serving

BOM = b"\xef\xbb\xbf"


def test_byte_order_marks_change_nothing() -> None:
    with serving(answering(http(BOM + BOM + json.dumps(PUSHED).encode()))) as server:
        assert push(client_for(server.url)).gateway_order_no == "W1"
    with (
        serving(answering(http(BOM + '{"code": "1003", "msg": "余额不足"}'.encode()))) as server,
        pytest.raises(Rejected, match="余额不足"),
    ):
        push(client_for(server.url))


@pytest.mark.parametrize(
    ("written", "balance"), [("1,234.50", "1234.50"), ("12,345,678", "12345678"), ("-1,000.00", "-1000.00")]
)
def test_a_balance_may_be_grouped(written: str, balance: str) -> None:
    with serving(answering(http({"code": "0000", "data": {"money": written}}))) as server:
        assert client_for(server.url).account().balance == Decimal(balance)


@pytest.mark.parametrize("written", ["1,23", "12,34.50", "1234,567", ",123", "1,234,5", "1.234,50", "1,234.5 元"])
def test_odd_groups_are_no_balance(written: str) -> None:
    with (
        serving(answering(http({"code": "0000", "data": {"money": written}}))) as server,
        pytest.raises(OutcomeUnknown),
    ):
        client_for(server.url).account()


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ('{"time": "1624868000"}', 1624868000),
        ('\ufeff{"time": 1624868000}', 1624868000),
        ('{"time": "1624868000000"}', None),
        ('{"time": [1]}', None),
        ("{}", None),
        ("<html>", None),
    ],
)
def test_the_clock_of_the_platform(raw: str, time: int | None) -> None:
    assert platform_time(raw) == time


@pytest.mark.parametrize("left_out", [(), ("client",), ("format",), ("client", "format")])
def test_what_is_left_out_is_not_sent(left_out: tuple[str, ...]) -> None:
    with serving(answering(http({"code": "0000", "data": {"money": "1"}}))) as server:
        client_for(server.url, leave_out=left_out).account()
    query = server.requests[0].split(b" ")[1]
    assert {name for name in ("client", "format") if f"{name}=".encode() not in query} == set(left_out)


def test_nothing_else_may_be_left_out() -> None:
    with pytest.raises(ValueError, match="left out"):
        client_for("http://127.0.0.1:1/rest/", leave_out=["app_key"])


def test_a_listing_spans_two_hours_at_most() -> None:
    start = dt.datetime(2026, 1, 1)
    client = client_for("http://127.0.0.1:1/rest/")
    for end in (start, start + dt.timedelta(hours=2, seconds=1)):
        with pytest.raises(ValueError, match="two hours"):
            client.list_orders(order_type=OrderType.MOBILE, start=start, end=end)


def test_the_way_to_the_platform() -> None:
    with serving(answering(http())) as server:
        place = Place.of(server.url)
        assert addresses(place) == ["127.0.0.1"]
        connect(place, timeout=1)
        with pytest.raises((ssl.SSLError, TimeoutError)):  # what is no TLS answers otherwise, or not at all
            shake_hands(place, timeout=1)
    with pytest.raises(ConnectionRefusedError):
        connect(place, timeout=1)
    with pytest.raises(socket.gaierror):
        addresses(Place.of("https://nowhere.invalid/rest/"))
