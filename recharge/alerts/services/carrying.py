"""Connections that messages leave by: to public addresses only, for some seconds at most, and no further than asked.

The name is resolved once, all that it stands for is judged, and that very address is connected to: a name that changes
its address in between leads nowhere else.
"""

import contextlib
import ipaddress
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from portal.kit.patience import Adapter, Held, HeldByTLS, hold, within

WAIT = 5.0
"""Seconds for connecting, and for each piece of an answer."""
IN_ALL = 15.0
"""Seconds after which an exchange is cut off, however it goes."""
MAX_ANSWER_BYTES = 64 * 1024
REFUSED = 400
"""From this code on a mail server says no."""
OF_THE_INTERNET = ipaddress.ip_network("2000::/3")
"""All of IPv6 that anybody on the internet has; Python takes for public also what was once for one's own network."""
INTO_OTHER_NETWORKS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "192.0.0.0/24")))
"""Addresses that hold another one, or lead to one, which may be one of the own network."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_answer: ContextVar[requests.Response | None] = ContextVar("answer", default=None)
_told: ContextVar["Told | None"] = ContextVar("told", default=None)


class NotPublic(OSError):
    """A name stands for an address of the own network."""


@dataclass
class Told:
    """What an exchange came to, where a library says no more than that it failed.

    `failure` is why nobody answered, `refusal` what a mail server refused last: its code and its words. `taken` counts
    the mails that it took.
    """

    failure: Exception | None = None
    refusal: tuple[int, str] | None = None
    taken: int = 0


@contextlib.contextmanager
def exchange() -> Iterator[None]:
    """Cut off what is connected within, once its time is over."""
    marks = _answer.set(None), _told.set(Told())
    try:
        with within(IN_ALL):
            yield
    finally:
        _answer.reset(marks[0])
        _told.reset(marks[1])


def answer() -> requests.Response | None:
    """Return what was answered last within this exchange."""
    return _answer.get()


def told() -> Told:
    """Return what is known of this exchange besides an answer."""
    return _told.get() or Told()


def addresses(host: str, port: int) -> list[str]:
    """Return the addresses that a name stands for.

    Raises:
        NotPublic: one of them is of the own network, and DEBUG is off.
        OSError: it stands for none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numbers = [str(address[0]) for *_rest, address in found]
    if not settings.DEBUG and not all(map(_is_public, numbers)):
        raise NotPublic
    return numbers


def post(
    url: str, *, data: str | bytes, headers: dict[str, str], verify: bool = True, params: Any = None, auth: Any = None,
    **ignored: object,
) -> requests.Response:  # fmt: skip
    """Post what is given, follow nothing, and read a short answer; has the arguments that apprise gives `requests`.

    Raises:
        requests.RequestException: there was no answer.
    """
    with requests.Session() as session:
        session.trust_env = False  # neither proxies nor passwords of the machine
        session.mount("http://", _Adapter())
        session.mount("https://", _Adapter())
        options: dict[str, Any] = {"params": params, "auth": auth, "verify": verify, "timeout": (WAIT, WAIT)}
        options |= {"allow_redirects": False, "stream": True}
        with _noted(), session.post(url, data=data, headers=headers, **options) as response:
            response._content = _read(response)
    _answer.set(response)
    return response


def request(method: str, url: str, **options: Any) -> requests.Response:
    """Do the same; other methods than POST are not spoken here.

    Raises:
        requests.RequestException: there was no answer, or the method is another one.
    """
    if method.upper() != "POST":
        raise requests.RequestException("only POST")
    return post(url, **options)


class _Noting(smtplib.SMTP):
    """Notes what a mail server refused, and how many mails it took."""

    def getreply(self) -> tuple[int, bytes]:
        with _noted():
            code, words = super().getreply()
        if code >= REFUSED:
            told().refusal = code, words.decode(errors="replace")
        return code, words

    def sendmail(self, *arguments: Any, **options: Any) -> dict[str, tuple[int, bytes]]:
        refused = super().sendmail(*arguments, **options)
        told().taken += 1
        return refused

    def starttls(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        with _noted():
            answer = super().starttls(*arguments, **options)
        if self.sock:
            hold(self.sock)
        return answer


class SMTP(_Noting):
    """As the original, on such a connection."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        with _noted():
            connected = _connected(host, port)
        hold(connected)
        return connected


class SMTPS(_Noting, smtplib.SMTP_SSL):
    """As the original, on such a connection."""

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        context: ssl.SSLContext = self.context
        with _noted():
            connected = context.wrap_socket(_connected(host, port), server_hostname=host)
        hold(connected)
        return connected


class _HTTP(Held):
    def _new_conn(self) -> socket.socket:
        return _connected_for(self)


class _HTTPS(HeldByTLS):
    def _new_conn(self) -> socket.socket:
        return _connected_for(self)


class _Adapter(Adapter):
    plain, by_tls = _HTTP, _HTTPS


def _connected_for(connection: HTTPConnection) -> socket.socket:
    try:
        return _connected(connection.host, connection.port)
    except OSError as error:
        raise NewConnectionError(connection, type(error).__name__) from error


def _connected(host: str, port: int) -> socket.socket:
    """Connect to the first of a name's addresses that answers, however many there are, before the time is over."""
    failure: OSError = OSError("no address")
    until = time.monotonic() + IN_ALL
    for number in addresses(host, port):
        if (left := until - time.monotonic()) <= 0:
            break
        try:
            return socket.create_connection((number, port), timeout=min(WAIT, left))
        except OSError as error:
            failure = error
    raise failure


def _is_public(number: str) -> bool:
    address: Address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, ipaddress.IPv6Address) and address not in OF_THE_INTERNET:
        return False
    return address.is_global and not address.is_multicast and not any(address in other for other in INTO_OTHER_NETWORKS)


def _read(response: requests.Response) -> bytes:
    content, until = b"", time.monotonic() + IN_ALL
    for piece in response.iter_content(4096):
        content += piece
        if len(content) > MAX_ANSWER_BYTES or time.monotonic() > until:
            raise requests.RequestException("more than an answer")
    return content


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except (OSError, smtplib.SMTPException) as failure:
        told().failure = failure
        raise
