"""The deadline is for the whole exchange: no server can stretch it by sending a little now and then."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from portal.gateway import Client, GatewayError, NotSent, OutcomeUnknown

from .servers import Server, client_for, dripping, push, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n"


def never_reading(server: Server, connection: socket.socket) -> None:
    server.stopping.wait(5)


def seconds_until(
    error: type[GatewayError], base_url: str, call: Callable[[Client], Any] = push, **options: Any
) -> float:
    client = client_for(base_url, **options)
    started = time.monotonic()
    with pytest.raises(error) as caught:
        call(client)
    assert type(caught.value) is error
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("start", "drops"),
    [
        (b"", b"HTTP/1.1 200 OK and so on and on and on and on"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD, b"X-Header: value\r\n"),
        (HEAD + b"\r\n", b'{"code": "0000"}'),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 5000\r\n\r\n", b" "),
    ],
    ids=["status_line", "continue", "headers", "body", "body_without_length", "chunks", "body_of_a_redirect"],
)
def test_a_server_that_drips_is_cut_off(start: bytes, drops: bytes) -> None:
    with serving(dripping(start, drops)) as server:
        assert 0.3 < seconds_until(OutcomeUnknown, server.url, timeout=0.4) < 2
    assert len(server.requests) == 1


def test_a_server_that_never_reads_a_big_request_is_cut_off() -> None:
    def big_request(client: Client) -> None:
        client.cancel_mobile_orders(gateway_order_nos=["1" * 2000] * 6000)

    # Making and signing 12 MB takes a moment of its own: as long as where nobody listens.
    making = seconds_until(NotSent, "http://127.0.0.1:1/", big_request)
    with serving(never_reading) as server:
        sending = seconds_until(OutcomeUnknown, server.url, big_request, connect_timeout=0.1, timeout=0.8)
    # The deadline to connect does not cut it off.
    assert sending > 0.8
    assert sending - making < 3


def test_the_total_deadline_also_ends_the_tls_handshake() -> None:
    with serving(never_reading) as server:
        url = server.url.replace("http:", "https:")
        assert 0.2 < seconds_until(NotSent, url, connect_timeout=3, timeout=0.3) < 2


def test_the_connect_deadline_also_ends_the_tls_handshake() -> None:
    with serving(never_reading) as server:
        url = server.url.replace("http:", "https:")
        assert 0.2 < seconds_until(NotSent, url, connect_timeout=0.3, timeout=3) < 2


def test_a_handshake_that_drips_is_cut_off() -> None:
    def drip_handshake(server: Server, connection: socket.socket) -> None:
        # A TLS record that announces 16 KiB of handshake and delivers it a byte at a time.
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while not server.stopping.wait(0.05):
            connection.sendall(b"\x00")

    with serving(drip_handshake) as server:
        url = server.url.replace("http:", "https:")
        assert seconds_until(NotSent, url, connect_timeout=0.4) < 2
