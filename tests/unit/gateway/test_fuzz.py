"""Whatever comes in, what comes out is a result or exactly one error."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.gateway import (
    Client,
    GatewayError,
    MalformedCallback,
    OrderReport,
    OutcomeUnknown,
    PushReceipt,
    Rejected,
    parse_callback,
)

from .servers import PUSHED, Server, answering_then_closing, client_for, http, push, serving

NAMES = st.sampled_from(
    ["order_no", "order_number", "status", "amount", "mobile", "fanli", "reason", "code", "msg", "data"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["0000", "1003", "A1", "W1", "2", "50.00", "\ud800", "\0", "1" * 5000]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=6),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8).map(json.dumps).map(str.encode)
ENVELOPES = (
    st.fixed_dictionaries({"code": st.just("0000") | SCALARS, "msg": SCALARS, "data": VALUES})
    .map(json.dumps)
    .map(str.encode)
)
FORMS = (
    st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
    .map(urlencode)
    .map(str.encode)
)


@st.composite
def cut_or_spoiled(draw: st.DrawFn) -> bytes:
    """An honest answer, with some of its bytes gone or changed."""
    answer = bytearray(http(PUSHED))
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(answer) - 1))
        answer[position : position + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(answer[: draw(st.integers(0, len(answer)))])


ANSWERS = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest),
    st.binary(max_size=300).map(http),
    ENVELOPES.map(http),
    cut_or_spoiled(),
)


class Scripted:
    answer = b""


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[Scripted, Client]]:
    """One server for all examples; what it answers is set before each."""
    script = Scripted()

    def behave(server: Server, connection: socket.socket) -> None:
        answering_then_closing(script.answer)(server, connection)

    with serving(behave) as server:
        yield script, client_for(server.url, timeout=2)


def outcome_of(client: Client) -> PushReceipt | GatewayError:
    try:
        receipt: PushReceipt = push(client)
        return receipt
    except GatewayError as error:
        return error


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=ANSWERS)
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999999\r\n\r\n{}")
@example(answer=b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=\xfe; expires=x\r\nContent-Length: 2\r\n\r\n{}")
@example(answer=b"HTTP/1.1 302 x\r\nLocation: \xff\xfe\r\n\r\n")
def test_any_answer_to_a_push_is_a_receipt_or_one_error(scripted: tuple[Scripted, Client], answer: bytes) -> None:
    script, client = scripted
    script.answer = answer
    result = outcome_of(client)
    # Bytes left, so it is never NotSent.
    assert type(result) in {PushReceipt, Rejected, OutcomeUnknown}
    assert isinstance(result, PushReceipt | Rejected | OutcomeUnknown)
    assert not isinstance(result, PushReceipt) or result.gateway_order_no
    assert "\0" not in result.raw
    assert len(result.raw) <= 65536


@settings(max_examples=400, deadline=None)
@given(
    body=st.one_of(st.binary(), OBJECTS, FORMS, st.text().map(lambda text: text.encode("utf-8", "replace"))),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]) | st.text(max_size=9),
)
def test_any_callback_is_a_report_or_malformed(body: bytes, content_type: str) -> None:
    try:
        report = parse_callback(body, content_type)
    except MalformedCallback:
        return
    assert isinstance(report, OrderReport)
    assert report.order_no
    assert report.status is None or 0 <= report.status <= 9999
    f"{report.order_no}{report.gateway_order_no}{report.mobile}{report.card_id}{report.reason}{report.raw}".encode()
    assert "\0" not in report.reason + report.raw
