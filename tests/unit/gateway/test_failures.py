"""Every way in which a push can fail, over real sockets, and which error it is."""

import gzip
import json
import logging
import os
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.gateway import Client, GatewayError, NotSent, OutcomeUnknown, Rejected

from .servers import (
    PUSHED,
    Behaviour,
    Server,
    answering,
    answering_then_closing,
    answering_then_silent,
    client_for,
    http,
    push,
    reset,
    serving,
)


def failure_of(base_url: str, call: Callable[[Client], Any] = push, **options: Any) -> GatewayError:
    with pytest.raises((Rejected, NotSent, OutcomeUnknown)) as caught:
        call(client_for(base_url, **options))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# Before the first byte.


def test_refused_is_not_sent() -> None:
    assert type(failure_of(f"http://127.0.0.1:{free_port()}/")) is NotSent


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert type(failure_of("https://no-such-host.invalid/")) is NotSent


def test_a_reset_while_connecting_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    # urllib3 overlooks a reset during the request, and plain HTTP connects there.
    def fail(*arguments: object, **options: object) -> None:
        raise ConnectionResetError(104, "reset")

    monkeypatch.setattr(socket, "create_connection", fail)
    error = failure_of("http://127.0.0.1:1/")
    assert type(error) is NotSent
    assert str(error) == "ConnectionResetError before the request was sent"


@pytest.mark.parametrize("name", ["a" * 64 + ".invalid", "a..b"])
def test_a_name_that_cannot_be_asked_for_is_not_sent(name: str) -> None:
    assert type(failure_of(f"https://{name}/")) is NotSent


def test_a_name_that_resolves_too_late_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = threading.Event()
    original = socket.getaddrinfo

    def slow(*arguments: Any, **options: Any) -> Any:
        resolved.wait(0.4)
        return original(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with serving(answering(http(PUSHED))) as server:
        assert type(failure_of(server.url, timeout=0.3)) is NotSent
    assert server.requests == []


def test_a_listener_that_accepts_nobody_is_not_sent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for waiting in queued:
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = failure_of(f"http://127.0.0.1:{full.getsockname()[1]}/", connect_timeout=0.3)
        for waiting in queued:
            waiting.close()
    assert type(error) is NotSent


def test_the_second_address_is_tried_when_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(http(PUSHED))) as server:
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", free_port()))
        alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        original = socket.getaddrinfo

        def two_addresses(host: str, *arguments: Any, **options: Any) -> Any:
            return [dead, alive] if host == "two.example" else original(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        assert push(client_for("http://two.example/", allow_insecure=True)).gateway_order_no == "W1"


# After the first byte, before an answer.


def reset_after_the_first_byte(server: Server, connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def reset_after_the_head(server: Server, connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1)
    server.requests.append(received)
    reset(connection)


def reset_after_the_request(server: Server, connection: socket.socket) -> None:
    server.read_request(connection)
    reset(connection)


def close_after_the_request(server: Server, connection: socket.socket) -> None:
    server.read_request(connection)


def close_in_the_answer(server: Server, connection: socket.socket) -> None:
    server.read_request(connection)
    connection.sendall(http(PUSHED)[:-5])


@pytest.mark.parametrize(
    "behave",
    [
        reset_after_the_first_byte,
        reset_after_the_head,
        reset_after_the_request,
        close_after_the_request,
        close_in_the_answer,
        answering_then_silent(),
        answering_then_silent(b"HTTP/1.1 200 OK\r\nContent-"),
        answering_then_silent(http(PUSHED)[:-1]),
        answering_then_silent(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=[
        "reset_after_the_first_byte",
        "reset_after_the_head",
        "reset_after_the_request",
        "closed_without_an_answer",
        "closed_in_the_answer",
        "silence",
        "silence_in_the_head",
        "silence_in_the_body",
        "only_continue",
    ],
)
def test_a_connection_that_dies_is_outcome_unknown(behave: Behaviour) -> None:
    with serving(behave) as server:
        assert type(failure_of(server.url, timeout=0.4)) is OutcomeUnknown
    assert server.connections == 1


def test_what_came_of_a_broken_answer_is_kept() -> None:
    with serving(close_in_the_answer) as server:
        error = failure_of(server.url)
    assert isinstance(error, OutcomeUnknown)
    assert http(PUSHED)[:-5].partition(b"\r\n\r\n")[2].decode() in error.raw


# An answer that is none.

HTML = b"<html><body>502 Bad Gateway</body></html>"
OK_BYTES = json.dumps(PUSHED).encode()
NOT_ANSWERS = {
    **{
        f"status_{status}": http(PUSHED, status=f"{status} Whatever")
        for status in (201, 204, 206, 300, 400, 401, 403, 404, 407, 408, 413, 429, 499, 500, 502, 503, 504, 599)
    },
    "a_redirect": http(PUSHED, "302 Found", "Location: /elsewhere\r\n"),
    "a_permanent_redirect": http(PUSHED, "308 Permanent Redirect", "Location: http://127.0.0.1:1/\r\n"),
    "a_redirect_to_nonsense": http(PUSHED, "302 Found", "Location: http://[::1/\xff\r\n"),
    "retry_after": http(PUSHED, "503 Busy", "Retry-After: 0\r\n"),
    "refused_login": http(PUSHED, "401 No", "WWW-Authenticate: Basic\r\n"),
    "html": http(HTML),
    "an_empty_body": http(b""),
    "no_http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a_bare_body": OK_BYTES,
    "an_endless_status_line": b"HTTP/1.1 200 " + b"x" * 70_000,
    "a_thousand_headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    "headers_of_ten_megabytes": b"HTTP/1.1 100 Continue\r\nX: "
    + b"x" * 60_000
    + b"\r\n\r\n"
    + b"HTTP/1.1 100 C\r\n\r\n" * 600_000,
    "a_wrong_length": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + OK_BYTES,
    "a_short_length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + OK_BYTES,
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 70\r\n\r\n" + OK_BYTES,
    "broken_chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + OK_BYTES,
    "a_missing_last_chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":',
    "ten_megabytes": http(b"x" * 10_000_000),
    "ten_megabytes_of_json": http(b'{"code": "0000", "data": {"order_number": "' + b"1" * 10_000_000 + b'"}}'),
    "one_byte_too_many": http(OK_BYTES + b" " * (65537 - len(OK_BYTES))),
    "endless_without_length": b"HTTP/1.1 200 OK\r\n\r\n" + OK_BYTES + b" " * 1_000_000,
    "gzip": http(gzip.compress(OK_BYTES), headers="Content-Encoding: gzip\r\n"),
    "gzip_bomb": http(gzip.compress(b"0" * 50_000_000), headers="Content-Encoding: gzip\r\n"),
    "unknown_encoding": http(OK_BYTES, headers="Content-Encoding: x\r\n"),
    **{
        f"json_{number}": http(body.encode("utf-8", "surrogatepass"))
        for number, body in enumerate(
            [
                '{"code": "0000", "data": {"order_number": "1"}',
                '{"code": "0000", "code": "0000", "data": {"order_number": "1"}}',
                '{"code": "0000", "data": {"order_number": "1", "order_number": "2"}}',
                '{"code": "1003", "code": "1004"}',
                '{"code": "1003", "data": NaN}',
                '{"code": "0000", "data": {"order_number": "1", "amount": Infinity}}',
                '{"code": "0000", "data": {"order_number": NaN}}',
                "[]",
                '[{"code": "1003"}]',
                '"0000"',
                "1003",
                "null",
                "true",
                "{}",
                '{"msg": "no"}',
                '{"code": null}',
                '{"code": ""}',
                '{"code": " "}',
                '{"code": true}',
                '{"code": false}',
                '{"code": 10.5}',
                '{"code": 1e3}',
                '{"code": {}}',
                '{"code": ["1003"]}',
                '{"code": 0}',
                '{"code": -0}',
                '{"code": "0"}',
                '{"code": "000"}',
                '{"code": "00000"}',
                '{"code": "００００"}',
                '{"code": "' + "1" * 65 + '"}',
                '{"code": "10\\u000003"}',
                '{"code": "\\ud800"}',
                '{"code": "1003", "msg": {}}',
                '{"code": "1003", "msg": ["no"]}',
                '{"code": "1003", "data": {"order_number": "W1"}}',
                '{"code": "0000"}',
                '{"code": "0000", "data": null}',
                '{"code": "0000", "data": []}',
                '{"code": "0000", "data": "W1"}',
                '{"code": "0000", "data": [{"order_number": "W1"}]}',
                '{"code": "0000", "data": {}}',
                '{"code": "0000", "order_number": "W1"}',
                '{"code": "0000", "data": {"order_number": ""}}',
                '{"code": "0000", "data": {"order_number": "  "}}',
                '{"code": "0000", "data": {"order_number": null}}',
                '{"code": "0000", "data": {"order_number": true}}',
                '{"code": "0000", "data": {"order_number": 1.5}}',
                '{"code": "0000", "data": {"order_number": 1e5}}',
                '{"code": "0000", "data": {"order_number": {}}}',
                '{"code": "0000", "data": {"order_number": "W\\u0000"}}',
                '{"code": "0000", "data": {"order_number": "\\udfff"}}',
                '{"code": "0000", "data": {"order_number": "' + "W" * 65 + '"}}',
                '{"code": "0000", "data": {"order_number": ' + "1" * 5000 + "}}",
                "[" * 30_000,
                '{"a":' * 10_000,
                ' \ufeff{"code": "1003"}',
                '{"code": "1003"} trailing',
                '{"code": "1003", "msg": "\udc80"}',
                "code=1003&msg=no",
                "success",
            ]
        )
    },
    "not_utf8": http('{"code": "1003", "msg": "不"}'.encode("gbk")),
}


@pytest.mark.parametrize("case", NOT_ANSWERS)
def test_an_answer_that_says_nothing_is_outcome_unknown(case: str) -> None:
    with serving(answering_then_closing(NOT_ANSWERS[case])) as server:
        error = failure_of(server.url)
    assert type(error) is OutcomeUnknown
    assert len(error.raw) <= 65536
    assert len(str(error)) < 150
    assert len(server.requests) == server.connections == 1


@pytest.mark.parametrize("case", ["html", "status_500", "json_0", "a_redirect"])
def test_the_body_of_an_unusable_answer_is_kept(case: str) -> None:
    with serving(answering_then_closing(NOT_ANSWERS[case])) as server:
        error = failure_of(server.url)
    assert isinstance(error, OutcomeUnknown)
    assert error.raw == NOT_ANSWERS[case].partition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize("case", ["gzip_bomb", "ten_megabytes", "headers_of_ten_megabytes", "endless_without_length"])
def test_a_huge_answer_costs_little_memory(case: str) -> None:
    failure_of(f"http://127.0.0.1:{free_port()}/")  # imports and caches are paid for before measuring
    with serving(answering_then_closing(NOT_ANSWERS[case])) as server:
        client = client_for(server.url)
        tracemalloc.start()
        with pytest.raises(OutcomeUnknown):
            push(client)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 3_000_000


REFUSALS = [
    ('{"code":"1003","msg":"app_key不能为空","time":"1624868000","data":null}', "1003", "app_key不能为空"),
    ('{"code": 1003, "msg": "no"}', "1003", "no"),
    ('{"code": "1003"}', "1003", ""),
    ('{"code": "E-1", "msg": 5}', "E-1", "5"),
    ('{"code": -1, "msg": "a\\u0000b\\nc\\ud800", "data": [1]}', "-1", "a b c"),
    ('{"code": "1003", "msg": null, "data": {"order_number": ""}}', "1003", ""),
]


@pytest.mark.parametrize(("body", "code", "message"), REFUSALS)
def test_a_definite_no_is_rejected(body: str, code: str, message: str) -> None:
    with serving(answering(http(body.encode()))) as server:
        error = failure_of(server.url)
    assert type(error) is Rejected
    assert (error.code, error.message, error.raw) == (code, message, body)


def test_a_refused_query_may_carry_an_order_number() -> None:
    body = b'{"code": "1003", "data": {"order_number": "W1"}}'
    with serving(answering(http(body))) as server:
        error = failure_of(server.url, lambda client: client.query_mobile_order(order_no="A1"))
    assert type(error) is Rejected


YESES = [
    http(PUSHED, headers="Content-Type: text/html\r\n"),
    http(OK_BYTES + b" " * (65536 - len(OK_BYTES))),
    b"HTTP/1.1 200 OK\r\n\r\n" + OK_BYTES,
    b"HTTP/1.0 200 OK\r\n\r\n" + OK_BYTES,
    b"HTTP/1.1 100 Continue\r\n\r\n" + http(PUSHED),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(OK_BYTES), OK_BYTES),
    http(PUSHED, headers="Set-Cookie: a=b\r\nbroken header\r\n"),
    http({**PUSHED, "data": {"order_number": "W1", "amount": "many", "cost_price": [], "fanli": True}}),
]


@pytest.mark.parametrize("answer", YESES)
def test_a_success_with_a_number_is_a_receipt(answer: bytes) -> None:
    with serving(answering_then_closing(answer)) as server:
        receipt = push(client_for(server.url))
    assert (receipt.gateway_order_no, receipt.face_value, receipt.cost_price) == ("W1", None, None)


QUERY_MALFORMED = [
    {},
    {"status": "2"},
    {"order_no": "A1", "status": "two"},
    {"order_no": "A1", "status": -1},
    {"order_no": "A1", "status": 10000},
    {"order_no": "A1", "status": 2.0},
    {"order_no": "A1", "status": True},
    {"order_no": "A1", "status": "٢"},
    {"order_no": "A1", "status": [2]},
    {"order_no": 1.5},
    {"order_no": ["A1"]},
    {"order_no": "A1", "amount": "NaN"},
    {"order_no": "A1", "amount": "1e3"},
    {"order_no": "A1", "amount": 1e30},
    {"order_no": "A1", "amount": "123456789"},
    {"order_no": "A1", "amount": "1.00001"},
    {"order_no": "A1", "amount": "1,000.00"},
    {"order_no": "A1", "amount": "１"},
    {"order_no": "A1", "reason": {}},
]


@pytest.mark.parametrize("data", QUERY_MALFORMED)
def test_a_report_that_makes_no_sense_is_outcome_unknown(data: Any) -> None:
    with serving(answering(http({"code": "0000", "data": data}))) as server:
        error = failure_of(server.url, lambda client: client.query_mobile_order(order_no="A1"))
    assert type(error) is OutcomeUnknown


@pytest.mark.parametrize(
    ("method", "arguments", "data"),
    [
        ("account", {}, {}),
        ("account", {}, {"money": None}),
        ("account", {}, {"money": "lots"}),
        ("mobile_info", {"mobile": "138"}, None),
        ("mobile_info", {"mobile": "138"}, {"oisp": {}}),
        ("oil_card_info", {"card_id": "7"}, []),
        ("query_oil_order", {"order_no": "A1"}, None),
    ],
)
def test_other_answers_without_sense_are_outcome_unknown(method: str, arguments: dict[str, Any], data: Any) -> None:
    with serving(answering(http({"code": "0000", "data": data}))) as server:
        error = failure_of(server.url, lambda client: getattr(client, method)(**arguments))
    assert type(error) is OutcomeUnknown


def test_a_card_without_an_id_is_outcome_unknown() -> None:
    card: dict[str, Any] = {"card_number": "1", "holder_name": "张", "holder_phone": "1", "national_id": "1"}
    with serving(answering(http({"code": "0000", "data": {"id": ""}}))) as server:
        error = failure_of(server.url, lambda client: client.add_oil_card(**card))
    assert type(error) is OutcomeUnknown


def test_an_early_answer_to_half_a_request_is_believed() -> None:
    def refuse_early(server: Server, connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(http({"code": "9", "msg": "no"}, headers="Connection: close\r\n"))
        connection.recv(65536)

    with serving(refuse_early) as server:
        assert type(failure_of(server.url)) is Rejected


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serving(answering(http(PUSHED))) as server:
        assert push(client_for(server.url)).gateway_order_no == "W1"
    assert b"authorization" not in server.requests[0].lower()
    assert not os.path.exists(tmp_path / "keys")


def test_a_failed_push_is_not_repeated_and_not_logged_as_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(reset_after_the_request) as server:
        failure_of(server.url)
    assert server.connections == len(server.requests) == 1
    assert "Retrying" not in caplog.text
