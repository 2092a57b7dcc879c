"""Whether callbacks arrive: seen from the orders that ended lately, and by calling our own public address."""

import datetime as dt
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core import signing
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from urllib3.exceptions import HTTPError

from portal.kit.database import from_now, release_connection
from portal.kit.patience import Session, within
from recharge.choices import EventKind
from recharge.models import Order, OrderEvent
from recharge.platform.choices import Cause, Result, Step
from recharge.status import Status

from .findings import Finding, finding
from .way import is_loopback

PROBE_TIMEOUT = 5.0
"""Seconds, for connecting and again for each wait for the answer."""
PROBE_IN_ALL = 15.0
"""Seconds after which an answer that has not ended is none."""
PROBE_SIGNER = signing.TimestampSigner(sep=".", salt="recharge.callback_probe")
ANSWER_SIGNER = signing.Signer(salt="recharge.callback_probe.answer")
PROBE_VALID_FOR = dt.timedelta(minutes=5)
LATE_BY = dt.timedelta(minutes=2)
"""A callback may come so much later than a query that told of the same."""
ENDINGS = (Status.SUCCEEDED, Status.REFUNDED)


@dataclass(frozen=True, slots=True)
class Heard:
    """How many of the latest finished orders were told of by callbacks; `since` is when the first silent one ended."""

    orders: int
    silent: int
    since: dt.datetime | None

    @property
    def is_silence(self) -> bool:
        """Whether so many ended without a callback that it is no accident."""
        return 0 < settings.ALERT_CALLBACKS_SILENT <= self.silent


def listen() -> Heard:
    """Look at the latest finished orders, by the index of the list that is filtered by status."""
    callbacks = OrderEvent.objects.filter(order=OuterRef("pk"), kind=EventKind.CALLBACK)
    most = max(1, settings.ALERT_CALLBACKS_OF)
    rows: list[tuple[int, dt.datetime | None, dt.datetime | None, bool]] = []
    for ending in ENDINGS:
        ended = Order.objects.filter(status=ending).annotate(by_callback=Exists(callbacks))
        told = ended.filter(Q(by_callback=True) | Q(status_at__lt=from_now(-LATE_BY))).order_by("-id")
        rows += told.values_list("pk", "confirmed_at", "status_at", "by_callback")[:most]
    latest = sorted(rows, reverse=True)[:most]
    silent = [at for _, confirmed_at, at, heard in latest if at and confirmed_at and not heard]
    return Heard(len(latest), len(silent), min(silent, default=None))


def judge_callbacks(heard: Heard) -> Finding:
    """Say whether callbacks come."""
    if not heard.orders:
        return finding(Step.CALLBACKS, Result.NOT_TRIED, Cause.CALLBACKS_UNTRIED)
    if heard.is_silence or heard.silent == heard.orders:
        result = Result.FAILED if heard.is_silence else Result.WARNING
        return finding(Step.CALLBACKS, result, Cause.CALLBACKS_SILENT, silent=heard.silent, orders=heard.orders)
    come = heard.orders - heard.silent
    return finding(Step.CALLBACKS, Result.OK, Cause.CALLBACKS_COME, heard=come, orders=heard.orders)


def try_public_address(*, callbacks_come: bool, platform_is_here: bool) -> Finding:
    """Call our own address for callbacks as the platform does.

    Args:
        callbacks_come: whether the platform is known to reach it; then it need not be reached from here.
        platform_is_here: whether what we call the platform runs on this machine.
    """
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    facts = {"host": host, "url": f"{settings.PUBLIC_URL}/callback/", "page": f"{settings.PUBLIC_URL}/healthz"}
    if is_loopback(host) and not platform_is_here:
        return finding(Step.PUBLIC_ADDRESS, Result.FAILED, Cause.ADDRESS_LOCAL, **facts)
    try:
        addresses = {str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):  # two dots side by side make no name
        return finding(Step.PUBLIC_ADDRESS, Result.FAILED, Cause.ADDRESS_NAME_UNKNOWN, **facts)
    cause, status = _probe()
    if cause == Cause.ADDRESS_SILENT and callbacks_come:
        return finding(Step.PUBLIC_ADDRESS, Result.OK, Cause.ADDRESS_SILENT_HERE, **facts)
    if cause != Cause.ADDRESS_REACHED:
        return finding(Step.PUBLIC_ADDRESS, Result.FAILED, cause, status=status, **facts)
    if callbacks_come or platform_is_here or all(map(_is_public, addresses)):
        return finding(Step.PUBLIC_ADDRESS, Result.OK, cause, **facts)
    return finding(Step.PUBLIC_ADDRESS, Result.WARNING, Cause.ADDRESS_REACHED_INSIDE, **facts)


def answer_to_probe(token: str) -> str:
    """Return what proves to the portal that its own probe came back to it.

    Raises:
        django.core.signing.BadSignature: the portal didn't make the token, or not lately.
    """
    return ANSWER_SIGNER.signature(PROBE_SIGNER.unsign(token, max_age=PROBE_VALID_FOR))


def _probe() -> tuple[Cause, int]:
    """Return what answers at our address for callbacks, and with which status of HTTP; 0 where nothing does."""
    token = PROBE_SIGNER.sign(secrets.token_hex(8))
    address = settings.PUBLIC_URL + reverse("callback_probe", args=[token])
    release_connection()
    with within(PROBE_IN_ALL), Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                address, data={"probe": "1"}, timeout=PROBE_TIMEOUT, allow_redirects=False, stream=True
            )
            body = answer.raw.read(200).decode(errors="replace")
        except requests.exceptions.SSLError:
            return Cause.ADDRESS_CERTIFICATE, 0
        except (requests.RequestException, HTTPError, OSError):
            return Cause.ADDRESS_SILENT, 0
    if answer.is_redirect or 300 <= answer.status_code < 400:
        return Cause.ADDRESS_REDIRECTS, answer.status_code
    is_ours = answer.status_code == 200 and body == answer_to_probe(token)
    return (Cause.ADDRESS_REACHED if is_ours else Cause.ADDRESS_OTHER), answer.status_code


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
