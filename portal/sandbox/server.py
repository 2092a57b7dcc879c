"""HTTP, down to the socket where a fault wants it there."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .calls import Call, Calls
from .control import Control, Response, json_response
from .faults import BEFORE_BOOKING, Fault, Faults
from .lives import SPECIALS
from .protocol import Dialect, Reason
from .settings import Settings

LARGEST_BODY = 1024 * 1024
MAX_HANG = 120.0
SLOW = 5.0
DRIP = 0.2
HTML = "text/html; charset=utf-8"
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"


class Server(ThreadingHTTPServer):
    """A thread for each connection: hundreds of calls may wait at once, and none of them holds a lock meanwhile."""

    daemon_threads = False
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        *,
        settings: Settings,
        calls: Calls,
        faults: Faults,
        control: Control,
        page: Callable[[], str],
    ) -> None:
        self.settings = settings
        self.calls = calls
        self.faults = faults
        self.control = control
        self.page = page
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would look its own name up.
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # an address of IPv4

    def stop(self) -> None:
        """Take no more connections, cut those there are, and wait for their threads."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                _cut(connection)
        self.server_close()

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        if self.stopping.is_set():
            _cut(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go; anything else is a mistake of ours and belongs on the terminal."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *arguments: Any) -> None:
        """The books say enough."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._send(json_response({"error": "body"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        body = self.rfile.read(int(length))
        address = urlsplit(self.path)
        if address.path.startswith("/rest/"):
            self._answer_call(address.path.removeprefix("/rest/"), address.query, body)
        elif address.path.startswith("/sandbox/"):
            path = address.path.removeprefix("/sandbox/")
            content_type = self.headers.get("Content-Type", "")
            self._send(self.server.control.answer(self.command, path, address.query, body, content_type))
        elif address.path == "/" and self.command == "GET":
            self._send(Response(self.server.page().encode(), content_type=HTML))
        else:
            self._send(json_response({"error": "没有这个地址"}, HTTPStatus.NOT_FOUND))

    def _answer_call(self, endpoint: str, query: str, body: bytes) -> None:
        if endpoint.endswith("/pushOrder"):
            self.server.calls.note_push(body)
        self._wait(self.server.settings.latency)
        # An empty form, as for User/query, may come without a type.
        is_form = not body or self.headers.get_content_type() == "application/x-www-form-urlencoded"
        if self.command != "POST" or not is_form:
            return self._send_call(self._envelope(Reason.METHOD.value))
        fault = self._fault(Call(endpoint, query, body))
        if fault is None:
            self._send_call(self.server.calls.answer(Call(endpoint, query, body)))
        elif fault.fault in BEFORE_BOOKING:
            self._turn_away(fault)
        else:
            self._spoil(fault, self.server.calls.answer(Call(endpoint, query, body, fault.fault)))

    def _fault(self, call: Call) -> Fault | None:
        """The rule that goes off, or else what the target's last digits ask for."""
        pushes = call.endpoint.endswith("/pushOrder")
        chooses = pushes and self.server.settings.suffixes
        if not chooses and not self.server.faults:
            return None
        target = self.server.calls.target(call)
        special = SPECIALS.get(target[-3:]) if chooses else None
        chosen = Fault(special.fault) if special and special.fault else None
        return self.server.faults.pick(call.endpoint, target) or chosen

    def _turn_away(self, fault: Fault) -> None:
        """Nothing is booked."""
        match fault.fault:
            case "reset":
                self._reset()
            case "refuse_html":
                self._send(Response(BAD_GATEWAY.encode(), fault.http_status, HTML))
            case "reject":
                self._send_call(self._envelope((fault.code, fault.msg)))

    def _spoil(self, fault: Fault, answer: dict[str, Any]) -> None:
        """The platform has carried out the call; the merchant doesn't get the answer."""
        match fault.fault:
            case "accept_hang":
                self._hang()
            case "accept_502":
                self._send(Response(BAD_GATEWAY.encode(), HTTPStatus.BAD_GATEWAY, HTML))
            case "accept_reset":
                self._reset()
            case "accept_html":
                self._send(Response(b"<html><body>Just a moment...</body></html>", HTTPStatus.OK, HTML))
            case "accept_truncated":
                whole = self._bytes(json_response(answer))
                self.wfile.write(whole[: len(whole) - len(json.dumps(answer)) // 2])
                self.close_connection = True
            case "accept_no_number":
                self._send_call({**answer, "data": None})
            case "garbage_json":
                self._send(Response(json_response(answer).body[:-1] + b",}"))
            case "accept_refuse":
                self._send_call(self._envelope((fault.code, fault.msg)))
            case "slow":
                self._wait(SLOW if fault.seconds is None else fault.seconds)
                self._send_call(answer)
            case "drip":
                for byte in self._bytes(json_response(answer)):
                    self.wfile.write(bytes([byte]))
                    self._wait(DRIP if fault.seconds is None else fault.seconds)
            case _:
                self._send_call(answer)

    def _wait(self, seconds: float) -> None:
        """Shorter if the sandbox stops."""
        if seconds > 0:
            self.server.stopping.wait(seconds)

    def _hang(self) -> None:
        """Until the client gives up, the sandbox stops, or two minutes are over."""
        self.close_connection = True
        deadline = time.monotonic() + MAX_HANG
        self.connection.settimeout(0.5)
        while time.monotonic() < deadline and not self.server.stopping.is_set():
            try:
                if not self.connection.recv(1024):
                    return
            except TimeoutError:
                continue

    def _reset(self) -> None:
        """RST instead of FIN: no lingering, and no shutdown before the close."""
        self.close_connection = True
        self.server.closed(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _envelope(self, refused: tuple[str, str]) -> dict[str, Any]:
        return Dialect.of(self.path).envelope(*refused, None, time.time())

    def _send_call(self, answer: dict[str, Any]) -> None:
        response = json_response(answer)
        if self.server.settings.quirks:
            response = replace(response, body=codecs.BOM_UTF8 + response.body)
        self._send(response)

    def _send(self, response: Response) -> None:
        self.wfile.write(self._bytes(response))

    def _bytes(self, response: Response) -> bytes:
        """Head and body in one piece, so that they leave in one packet."""
        headers = {
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            **response.headers,
            **({"Connection": "close"} if self.close_connection else {}),
        }
        lines = [f"HTTP/1.1 {int(response.status)} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # The other end may have closed it already.
        connection.shutdown(socket.SHUT_RDWR)
