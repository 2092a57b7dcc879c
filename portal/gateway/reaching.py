"""The way to the platform before any call: its name, a connection, TLS, its web server's clock. Nothing is asked for.

For finding out what is wrong; calls go their own way, see connections.py.
"""

import contextlib
import datetime as dt
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from portal.gateway.connections import tls_context
from portal.gateway.transport import checked_base_url


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls go."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, base_url: str) -> "Place":
        """Raises `ValueError` for an address that a `Client` would not take, either."""
        parts = urlsplit(checked_base_url(base_url, allow_insecure=True))
        tls = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if tls else 80), tls)


@dataclass(frozen=True, slots=True)
class Handshake:
    """A TLS connection that was made with a certificate that is valid for the name."""

    version: str
    expires_at: dt.datetime


def addresses(place: Place) -> list[str]:
    """Return the addresses of the name, in the order in which they are tried. Raises `OSError` where it has none."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except UnicodeError:  # an empty part between two dots, or one of more than 63 characters
        raise socket.gaierror("no name") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def connect(place: Place, *, timeout: float) -> None:
    """Connect and hang up again, within `timeout` seconds. Raises `OSError`."""
    socket.create_connection((place.host, place.port), timeout=timeout).close()


def shake_hands(place: Place, *, timeout: float) -> Handshake:
    """Connect by TLS as the client does, and hang up again.

    Raises `ssl.SSLCertVerificationError` for a certificate that is not to be trusted, `ssl.SSLError` for what is no TLS
    that we speak, and `OSError`.
    """
    with (
        socket.create_connection((place.host, place.port), timeout=timeout) as connected,
        tls_context().wrap_socket(connected, server_hostname=place.host) as secured,
    ):
        expires = str((secured.getpeercert() or {})["notAfter"])
        moment = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(expires), dt.UTC)
        return Handshake(secured.version() or "", moment)


def web_clock(place: Place, *, timeout: float) -> dt.datetime | None:
    """Return the time in the head of an answer of the web server [guess: it is the platform's]; None where it has none.

    `timeout` is for connecting, and once more for the whole answer, however slowly it comes.

    Raises `OSError` and `http.client.HTTPException`.
    """
    connection: http.client.HTTPConnection
    if place.tls:
        connection = http.client.HTTPSConnection(place.host, place.port, timeout=timeout, context=tls_context())
    else:
        connection = http.client.HTTPConnection(place.host, place.port, timeout=timeout)
    with contextlib.closing(connection):
        connection.connect()
        timer = threading.Timer(timeout, connection.sock.shutdown, [socket.SHUT_RDWR])
        timer.daemon = True
        timer.start()
        try:
            connection.request("HEAD", "/")
            date = connection.getresponse().headers.get("Date")
        finally:
            timer.cancel()
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
