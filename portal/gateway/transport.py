"""One POST over a pooled connection: the body of an HTTP 200 answer, or `NotSent`, or `OutcomeUnknown`."""

import http.client
import ipaddress
import os
import re
import threading

import requests

from portal.gateway.connections import AnswerTooLong, Exchange, Session, current_exchange
from portal.gateway.errors import GatewayError, NotSent, OutcomeUnknown
from portal.gateway.messages import RAW_LIMIT
from portal.gateway.parsing import printable_raw

ANSWER_LIMIT = 64 * 1024
MIN_SECRET_LENGTH = 8

# Narrower than any URL parser, so that no two of them can disagree about where the money goes.
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/[a-z0-9._~/-]*)?",
    re.ASCII | re.IGNORECASE,
)


def checked_base_url(base_url: str, *, allow_insecure: bool) -> str:
    """Return `base_url` with a slash at its end; raise `ValueError` if requests must not go there."""
    match = _BASE_URL.fullmatch(base_url)
    if not match or int(match["port"] or 443) not in range(1, 65536):
        raise ValueError("base_url must be http(s)://host[:port]/path/ with no user, query or fragment")
    if match["scheme"].lower() == "http" and not allow_insecure and not _is_loopback(match["host"]):
        raise ValueError("base_url must be https, unless it is a loopback address or allow_insecure is set")
    return base_url.rstrip("/") + "/"


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Transport:
    """Posts to one base URL, with one session per thread. `secret` is blotted out of everything received."""

    def __init__(self, *, base_url: str, secret: str, connect_timeout: float, timeout: float) -> None:
        self._base_url = base_url
        self._secret = secret.encode() if len(secret) >= MIN_SECRET_LENGTH else None
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._local = threading.local()

    def post(self, endpoint: str, *, query: str, body: bytes, spends: bool) -> bytes:
        """Post `body` and return the body of the answer, if it came with HTTP 200.

        A call that `spends` gets a new connection. A pooled one may have been closed by the other side a
        moment ago, which looks the same as a reset after the order was taken; or something may still arrive
        on it that belongs to an earlier call.

        Raises `NotSent` and `OutcomeUnknown`.
        """
        session = self._session()
        exchange = Exchange(query=query, alone=spends, connect_timeout=self._connect_timeout, timeout=self._timeout)
        token = current_exchange.set(exchange)
        result: bytes | GatewayError
        try:
            result = self._exchange(session, self._base_url + endpoint, body)
        except Exception as error:  # whatever a hostile answer makes the libraries raise, it has one meaning
            result = self._failure(exchange, error)
        finally:
            current_exchange.reset(token)
        # Raised out here, the failure has no __context__: the one below shows addresses and headers.
        if isinstance(result, GatewayError):
            raise result
        return result

    def close(self) -> None:
        """Close what the calling thread holds open; a later call connects anew."""
        self._session().close()

    def _exchange(self, session: Session, url: str, body: bytes) -> bytes | OutcomeUnknown:
        with session.post_form(url, body, timeout=(self._connect_timeout, self._timeout)) as response:
            content = self._hide(_content(response))
            encoding = response.headers.get("Content-Encoding", "identity").lower()
        raw = printable_raw(content, RAW_LIMIT)
        if response.status_code != http.HTTPStatus.OK:
            return OutcomeUnknown(f"answered with HTTP {response.status_code}", raw, response.status_code)
        if encoding != "identity":
            return OutcomeUnknown("the answer is compressed, which was not asked for", raw)
        if len(content) > ANSWER_LIMIT:
            return OutcomeUnknown("the answer is longer than 64 KiB", raw)
        return content

    def _failure(self, exchange: Exchange, error: Exception) -> GatewayError:
        reason = _reason(error)
        if not exchange.began:
            return NotSent(f"{reason} before the request was sent")
        stage = "in the middle of the answer" if exchange.received else "before an answer came"
        raw = printable_raw(self._hide(bytes(exchange.received)), RAW_LIMIT)
        return OutcomeUnknown(f"{reason} {stage}", raw)

    def _hide(self, received: bytes) -> bytes:
        return received.replace(self._secret, b"[hidden]") if self._secret else received

    def _session(self) -> Session:
        # A forked process must not write into the connections of its parent.
        if getattr(self._local, "process", None) != os.getpid():
            self._local.process = os.getpid()
            self._local.session = Session(self._base_url)
        session: Session = self._local.session
        return session


def _content(response: requests.Response) -> bytes:
    content = b""
    while piece := response.raw.read(ANSWER_LIMIT + 1 - len(content), decode_content=False):
        content += piece
    return content


def _reason(error: BaseException) -> str:
    """Name the innermost cause by its class: the texts of these errors may show addresses and data."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (OSError, http.client.HTTPException, AnswerTooLong)) and not isinstance(
            cause, requests.RequestException
        ):
            return type(cause).__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
