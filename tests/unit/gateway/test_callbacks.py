from decimal import Decimal
from urllib.parse import urlencode

import pytest

from portal.gateway import MalformedCallback, OrderReport, parse_callback

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"
FULL = {
    "order_no": "A1",
    "order_number": "W1",
    "status": "3",
    "mobile": "138",
    "amount": "50.00",
    "cost_price": "49.10",
    "fanli": "0.50",
    "arrived_amount": "0",
    "failReason": "号码有误 & more",
    "sign": "ABC",
}


def test_a_form_is_read() -> None:
    body = urlencode(FULL).encode()
    assert parse_callback(body, FORM) == OrderReport(
        order_no="A1",
        gateway_order_no="W1",
        status=3,
        mobile="138",
        card_id="",
        face_value=Decimal("50.00"),
        cost_price=Decimal("49.10"),
        rebate=Decimal("0.50"),
        credited_amount=Decimal(0),
        reason="号码有误 & more",
        raw=body.decode(),
    )


@pytest.mark.parametrize("content_type", [JSON, FORM, "", "text/plain", "application/x+json"])
def test_json_is_read_whatever_it_calls_itself(content_type: str) -> None:
    body = b' {"order_no": 12, "status": 2, "amount": 98.50, "more": {"a": [1]}}\n'
    report = parse_callback(body, content_type)
    assert (report.order_no, report.status, report.face_value) == ("12", 2, Decimal("98.50"))
    assert str(report.face_value) == "98.50"
    assert report.raw == body.decode()


@pytest.mark.parametrize("content_type", [FORM, "", "text/plain"])
def test_a_form_is_read_whatever_it_calls_itself(content_type: str) -> None:
    assert parse_callback(b"order_no=A1&status=2", content_type).status == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"order_no=A1&status=99", 99),
        (b"order_no=A1&status=9999", 9999),
        (b"order_no=A1&status=0", 0),
        (b"order_no=A1&status= 2 ", 2),
        (b"order_no=A1&status=", None),
        (b"order_no=A1", None),
        (b'{"order_no": "A1", "status": null}', None),
    ],
)
def test_a_status_is_read_known_or_not(body: bytes, status: int | None) -> None:
    assert parse_callback(body, "").status == status


MALFORMED = {
    "empty": b"",
    "no_order_no": b"status=2",
    "blank_order_no": b"order_no=+&status=2",
    "null_order_no": b'{"order_no": null}',
    "order_no_is_a_fraction": b'{"order_no": 1.5}',
    "order_no_is_a_bool": b'{"order_no": true}',
    "order_no_is_a_list": b'{"order_no": ["A1"]}',
    "order_no_is_an_object": b'{"order_no": {"order_no": "A1"}}',
    "order_no_with_nul": b"order_no=A%001",
    "order_no_with_newline": b"order_no=A%0A1",
    "order_no_too_long": b"order_no=" + b"1" * 65,
    "order_no_with_a_surrogate": b'{"order_no": "A\\ud800"}',
    "order_no_is_huge": b'{"order_no": ' + b"9" * 10_000 + b"}",
    "status_is_a_word": b"order_no=A1&status=two",
    "status_is_negative": b"order_no=A1&status=-1",
    "status_is_absurd": b"order_no=A1&status=10000",
    "status_is_huge": b'{"order_no": "A1", "status": ' + b"9" * 10_000 + b"}",
    "status_is_a_fraction": b'{"order_no": "A1", "status": 2.0}',
    "status_is_a_bool": b'{"order_no": "A1", "status": true}',
    "status_is_nan": b'{"order_no": "A1", "status": NaN}',
    "status_in_arabic_digits": "order_no=A1&status=٢".encode(),
    "money_is_nan": b"order_no=A1&amount=NaN",
    "money_is_infinite": b'{"order_no": "A1", "amount": -Infinity}',
    "money_has_an_exponent": b'{"order_no": "A1", "amount": 1e999999999}',
    "money_is_too_big": b"order_no=A1&amount=123456789",
    "money_is_too_fine": b"order_no=A1&amount=1.00001",
    "money_is_nested": b'{"order_no": "A1", "amount": [1]}',
    "a_key_twice": b"order_no=A1&order_no=A2",
    "a_json_key_twice": b'{"order_no": "A1", "order_no": "A1"}',
    "a_nested_json_key_twice": b'{"order_no": "A1", "x": {"a": 1, "a": 1}}',
    "not_utf8": b"order_no=A1&failReason=\xff",
    "not_utf8_in_percent": b"order_no=A1&failReason=%FF",
    "broken_json": b'{"order_no": "A1"',
    "a_json_list": b'[{"order_no": "A1"}]',
    "deep_json": b'{"a":' * 20_000,
    "deep_json_list": b'{"a":' + b"[" * 20_000,
    "too_many_fields": b"&".join(b"f%d=1" % number for number in range(200)) + b"&order_no=A1",
    "too_long": b"order_no=A1&x=" + b"x" * 70_000,
}


@pytest.mark.parametrize("content_type", [FORM, JSON, "", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("case", MALFORMED)
def test_what_cannot_be_read_is_malformed(case: str, content_type: str) -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_callback(MALFORMED[case], content_type)
    assert "A1" not in str(caught.value)


def test_a_form_that_calls_itself_json_is_malformed() -> None:
    with pytest.raises(MalformedCallback):
        parse_callback(b"order_no=A1&status=2", JSON)


def test_what_no_database_takes_is_not_in_the_report() -> None:
    report = parse_callback(b'{"order_no": "A1", "reason": "a\\u0000b\\ud800c", "mobile": "1"}', JSON)
    assert report.reason == "a b c"
    assert "\0" not in parse_callback(b"order_no=A1&x=\x00", FORM).raw
