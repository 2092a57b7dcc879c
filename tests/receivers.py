"""What stands at the other end of a channel for alerts: a web server and a mail server, both on this machine."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WebReceiver:
    """A web server that keeps what is posted to it. `status` and `answer` are what it answers with."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.answer: dict[str, Any] = {"errcode": 0, "code": 0}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self.server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.raw.append((dict(self.headers.items()), body))
                if receiver.status == 200:
                    receiver.got.append((self.path, json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps(receiver.answer).encode())

            def log_message(self, *arguments: Any) -> None: ...

        return Handler


class MailReceiver:
    """A mail server that keeps what is sent to it: envelopes, the mails as they came; `unknown` people it refuses."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.recipients: list[str] = []
        self.mails: list[str] = []
        receiver = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 here")
                while line := self.rfile.readline().decode().strip():
                    verb = line.split()[0].upper()
                    if verb == "RCPT":
                        name = line.partition("<")[2].partition(">")[0]
                        if name in receiver.unknown:
                            self._say("550 nobody there")
                            continue
                        receiver.recipients.append(name)
                    if verb == "DATA":
                        self._say("354 go on")
                        receiver.mails.append(self._mail())
                    self._say("221 bye" if verb == "QUIT" else "250 fine")
                    if verb == "QUIT":
                        return

            def _mail(self) -> str:
                return b"".join(iter(self.rfile.readline, b".\r\n")).decode()

            def _say(self, words: str) -> None:
                self.wfile.write(f"{words}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Let a server run within."""
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
