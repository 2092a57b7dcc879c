"""Small threaded socket servers, each with one way to behave, and a client for them."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from portal.gateway import Client

SECRET = "s3cret-which-nobody-may-see"
APP_KEY = "the app+key&钥="
ACCOUNT = {"code": "0000", "data": {"money": "1"}}
PUSHED = {"code": "0000", "msg": "推送成功", "data": {"order_number": "W1"}}


Behaviour: TypeAlias = Callable[["Server", socket.socket], None]
"""What a server does with a connection."""


class Server:
    """Accepts connections and lets `behave` do with each what it wants; keeps every request it was sent."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None):
        self.behave = behave
        self.tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/rest/"

    def read_request(self, connection: socket.socket) -> bool:
        """Read one whole request; False if the other side closed instead."""
        received = b""
        while not _complete(received):
            piece = connection.recv(65536)
            if not piece:
                return False
            received += piece
        self.requests.append(received)
        return True

    def stop(self) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            # A thread that waits for another request on a kept connection wakes up.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self.tls:
                connection = stack.enter_context(self.tls.wrap_socket(connection, server_side=True))
                self._open.append(connection)
            self.behave(self, connection)


def _complete(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    return len(body) >= int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


@contextlib.contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(behave, tls)
    try:
        yield server
    finally:
        server.stop()


def http(body: bytes | dict[str, Any] = b"", status: str = "200 OK", headers: str = "") -> bytes:
    """A whole, honest HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode() + content


def answering(*answers: bytes) -> Behaviour:
    """Read requests, send an answer to each, the last one for ever; keep the connection."""
    remaining = list(answers)

    def behave(server: Server, connection: socket.socket) -> None:
        while server.read_request(connection):
            connection.sendall(remaining.pop(0) if len(remaining) > 1 else remaining[0])

    return behave


def answering_then_closing(answer: bytes) -> Behaviour:
    def behave(server: Server, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(answer)

    return behave


def answering_then_silent(answer: bytes = b"") -> Behaviour:
    def behave(server: Server, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(answer)
        server.stopping.wait(5)

    return behave


def dripping(start: bytes, drops: bytes) -> Behaviour:
    """Send `start` at once and then `drops` for ever, a byte every 50 ms."""

    def behave(server: Server, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(start)
        while True:
            for drop in drops:
                connection.sendall(bytes([drop]))
                if server.stopping.wait(0.05):
                    return

    return behave


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


clients: list[Client] = []
"""Those made by the test that runs, to be closed after it."""


def client_for(base_url: str, **options: Any) -> Client:
    arguments: dict[str, Any] = {
        "base_url": base_url,
        "app_key": APP_KEY,
        "app_secret": SECRET,
        "store_id": "17",
        "connect_timeout": 1,
        "timeout": 3,
    }
    client = Client(**{**arguments, **options})
    clients.append(client)
    return client


def push(client: Client, **changes: Any) -> Any:
    """The call whose failures matter most."""
    arguments: dict[str, Any] = {
        "order_no": "20211109001",
        "mobile": "13800138000",
        "face_value": 50,
        "speed": 0,
        "notify_url": "https://example.com/callback/abc/",
    }
    return client.push_mobile_order(**{**arguments, **changes})
