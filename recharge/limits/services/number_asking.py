"""Asking the platform about phone numbers before money is spent on them: it costs nothing, and no order waits for it.

What was answered is kept for some days, see `recharge.numbers.services.known`. An answer that says nothing is none.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings

from portal import platform
from portal.gateway import GatewayError, Rejected, Speed, means_no_such_call, means_not_rechargeable
from portal.kit.database import release_connection
from recharge.models import NumberInfo, NumberOffer, Order
from recharge.numbers.services import known

from . import outages, pacing

AT_ONCE = 0.9
"""Seconds in which somebody who types is answered, all in all."""
EXCHANGE_AT_ONCE = 0.8
PATIENT = 5.0
"""Seconds that a call may take of which nobody waits for the answer."""
ASKED_TOGETHER = 4
"""Calls for people who type, at the same time in one process: a platform that hangs holds no more threads."""


class NoSuchCall(Exception):
    """The platform has no such call: further attempts are pointless."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the platform said of a number, now or lately; `unanswered` says that something was asked in vain."""

    info: NumberInfo | None = None
    offer: NumberOffer | None = None
    unanswered: bool = False


def is_on() -> bool:
    """Say whether the platform is asked about numbers at all."""
    return (settings.NUMBER_INFO or settings.NUMBER_VERIFY) and platform.is_configured()


def ask_at_once(mobile: str, face_value: int | None, speed: int) -> Heard:
    """Ask about a number for somebody who is typing it, within a second: what takes longer is no answer.

    Args:
        mobile: its 11 digits.
        face_value: yuan that it is to get; None as long as that isn't known.
        speed: one of Speed.
    """
    until = time.monotonic() + AT_ONCE
    info, offer, calls = _to_ask(mobile, face_value, speed, EXCHANGE_AT_ONCE)
    if not calls:
        return Heard(info, offer)
    if outages.is_on():
        return Heard(info, offer, unanswered=True)
    release_connection()
    asked = {name: _begin(call) for name, call in calls.items() if pacing.wait_within(_left(until) / 2)}
    wait([future for future in asked.values() if future], timeout=_left(until))
    heard = {name: _result_of(future) for name, future in asked.items()}
    return _kept(mobile, face_value, speed, info, offer, {name: heard.get(name) for name in calls})


def ask_patiently(order: Order) -> Heard:
    """Ask about the number of an order that is not placed yet; takes up to some seconds, and holds no connection.

    Args:
        order: not saved; a turn was taken for it, see `pacing`.

    Raises:
        NoSuchCall: the platform has none of the calls that are to be made.
    """
    info, offer, calls = _to_ask(order.mobile, order.face_value, order.speed, PATIENT)
    release_connection()
    heard: dict[str, Any] = {}
    for name, call in calls.items():
        if heard:
            pacing.wait_for_turn()  # the caller has taken the first one
        heard[name] = _outcome(call)
    refused = [outcome for outcome in heard.values() if isinstance(outcome, Rejected) and means_no_such_call(outcome)]
    if calls and len(refused) == len(calls):
        raise NoSuchCall
    return _kept(order.mobile, order.face_value, order.speed, info, offer, heard)


def lacks_something(heard: Heard) -> bool:
    """Say whether there is something of a number, with a value, that the platform could still be asked."""
    return bool((settings.NUMBER_INFO and heard.info is None) or (settings.NUMBER_VERIFY and heard.offer is None))


def _to_ask(
    mobile: str, face_value: int | None, speed: int, timeout: float
) -> tuple[NumberInfo | None, NumberOffer | None, dict[str, Callable[[], Any]]]:
    """Return what was answered lately, and the calls for the rest."""
    offered = (mobile, face_value or 0, speed)
    info = known.infos([mobile]).get(mobile)
    offer = known.offers([Order(mobile=mobile)]).get(offered)
    client = platform.asking_client(timeout)
    calls: dict[str, Callable[[], Any]] = {}
    if settings.NUMBER_INFO and info is None:
        calls["info"] = partial(client.mobile_info, mobile=mobile)
    if settings.NUMBER_VERIFY and offer is None and face_value:
        calls["offer"] = partial(client.verify_mobile, mobile=mobile, face_value=face_value, speed=Speed(speed))
    return info, offer, calls


def _kept(
    mobile: str,
    face_value: int | None,
    speed: int,
    info: NumberInfo | None,
    offer: NumberOffer | None,
    heard: dict[str, Any],
) -> Heard:
    """Keep what was answered; what says nothing is unanswered."""
    unanswered = False
    if "info" in heard:
        told = heard["info"]
        info = None if told is None or isinstance(told, Exception) else known.keep_info(mobile, told)
        unanswered |= info is None
    if "offer" in heard:
        told, offered = heard["offer"], (mobile, face_value or 0, speed)
        if isinstance(told, Rejected) and means_not_rechargeable(told):
            offer = known.keep_offer(offered, able=False, words=told.message)
        elif told is not None and not isinstance(told, Exception):
            offer = known.keep_offer(offered, able=True)
        unanswered |= offer is None
    return Heard(info, offer, unanswered)


def _outcome(call: Callable[[], Any]) -> Any:
    """Return what a call ends in: its answer, or the failure that it raised."""
    try:
        return call()
    except (GatewayError, ValueError) as error:
        return error


_threads = ThreadPoolExecutor(ASKED_TOGETHER, thread_name_prefix="asking")
_free = BoundedSemaphore(ASKED_TOGETHER)


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())


def _begin(call: Callable[[], Any]) -> Future[Any] | None:
    """Let a thread make a call; None where all of them are busy."""
    if not _free.acquire(blocking=False):
        return None
    future = _threads.submit(_outcome, call)
    future.add_done_callback(lambda done: _free.release())
    return future


def _result_of(future: Future[Any] | None) -> Any:
    """Return what a call ended in, None where it has not ended."""
    return future.result() if future and future.done() else None
