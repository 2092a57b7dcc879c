"""Connections that know one exchange: its deadline, and whether a byte of its request has left.

requests and urllib3 give the same ConnectionError for "refused" and for "reset after the request", and their
read timeout starts anew with every byte. So the two facts that matter are taken where they arise: in `send`,
the only way for request bytes to the socket, and in the reads and writes of the socket itself.
"""

import http.client
import io
import socket
import ssl
import time
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

WIRE_LIMIT = 2 * 64 * 1024
PIECE = 16 * 1024


class AnswerTooLong(Exception):
    """The answer is larger than any legitimate one."""


class Exchange:
    """One request and its answer. `began` is True from just before its first byte may leave.

    With `alone` it gets a connection that nothing has been sent on before.
    """

    def __init__(self, *, query: str, alone: bool, connect_timeout: float, timeout: float) -> None:
        now = time.monotonic()
        self.query = query
        self.alone = alone
        self.began = False
        self.received = bytearray()
        self._deadline = now + timeout
        self._connect_deadline = min(self._deadline, now + connect_timeout)

    def begin(self) -> None:
        """Note that bytes may leave; raise `TimeoutError` instead if it is too late to start."""
        self.time_left()
        self.began = True

    def time_left(self) -> float:
        """Return the seconds left for the whole exchange; raise `TimeoutError` if there are none."""
        return _until(self._deadline)

    def time_left_to_connect(self) -> float:
        """Return the seconds left for connecting, TLS included; raise `TimeoutError` if there are none."""
        return _until(self._connect_deadline)

    def keep(self, received: bytes) -> None:
        """Keep what came over the wire; raise `AnswerTooLong` if it is too much, headers included."""
        self.received += received
        if len(self.received) > WIRE_LIMIT:
            raise AnswerTooLong


def _until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("deadline passed")
    return seconds


# urllib3 makes the connections, deep inside, so this is how they learn what they are used for.
current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class _Wire(io.RawIOBase):
    """The bytes of one answer as they come, each wait cut to the time that is left."""

    def __init__(self, connected: socket.socket) -> None:
        self._exchange = current_exchange.get()
        self._socket = connected
        self._source = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._exchange.time_left())
        count = self._source.readinto(buffer) or 0
        self._exchange.keep(bytes(memoryview(buffer)[:count]))
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Wire(sock))


def _connected(host: str, port: int) -> socket.socket:
    exchange = current_exchange.get()
    connected = socket.create_connection((host, port), timeout=exchange.time_left_to_connect())
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # This is what the TLS handshake has left: Python applies it to the handshake as a whole.
        connected.settimeout(exchange.time_left_to_connect())
    except OSError:
        connected.close()
        raise
    return connected


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        failure = OSError("the name has no address")
        for *_, address in socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM):
            try:
                return _connected(str(address[0]), int(address[1]))
            except OSError as error:
                failure = error
        # Not the bare OSError: urllib3 overlooks some of them, because an answer may come despite them.
        raise NewConnectionError(self, "no address took the connection") from failure

    def putrequest(self, method: str, url: str, *arguments: Any, **options: Any) -> None:
        # The query is added here, below everything that logs a URL or puts one into an exception.
        super().putrequest(method, f"{url}?{current_exchange.get().query}", *arguments, **options)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = current_exchange.get()
        exchange.begin()
        # Piece by piece, because a TLS socket takes its timeout for each record anew.
        for start in range(0, len(data), PIECE):
            self.sock.settimeout(exchange.time_left())
            super().send(data[start : start + PIECE])


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls: type[HTTPConnection] = _Connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if current_exchange.get().alone:
            connection.close()  # it is made anew, as for a broken one
        return connection


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Everything goes to one place, so that its pool of connections is looked for only once."""

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls
        self._pool: Any = None
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        if self._tls:
            options["ssl_context"] = tls_context()
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        # The TLS context decides. requests would load all certificates again for every connection.
        address, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return address, {}

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> Any:
        self._pool = self._pool or super().get_connection_with_tls_context(request, *rest, **more)
        return self._pool

    def close(self) -> None:
        self._pool = None
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        pass


def tls_context() -> ssl.SSLContext:
    """Return what every connection by TLS is made with."""
    # By hand, because ssl.create_default_context() and urllib3 write session keys where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    return context


class Session(requests.Session):
    """A requests session for one base URL, without redirects, retries, cookies or settings from the environment."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.trust_env = False
        self._prepared: dict[str, requests.PreparedRequest] = {}
        self.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        )
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount(base_url, _Adapter(tls=base_url.lower().startswith("https:")))

    def post_form(self, url: str, body: bytes, *, timeout: tuple[float, float]) -> requests.Response:
        """Post an encoded form; the answer is yet to be read. `timeout` is what requests takes."""
        if url not in self._prepared:
            self._prepared[url] = self.prepare_request(requests.Request("POST", url))
        request = self._prepared[url]
        request.body = body  # it alone differs from call to call, and this thread makes one call at a time
        request.headers["Content-Length"] = str(len(body))
        return self.send(request, timeout=timeout, allow_redirects=False, stream=True, proxies={})

    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even where redirects are off requests prepares the next request, and reads the whole body for that.
        return None
