"""Handing an order to the platform: at most once, ever.

The claim is committed before the first byte goes out, the call is made with no transaction and no connection held,
and what came of it is recorded in a second transaction. Whoever dies in between leaves a lease that runs out, and
the order becomes UNKNOWN: it may have been sent.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import structlog
from django.conf import settings
from django.db import transaction

from oilcards.services.availability import may_be_recharged
from portal import platform
from portal.gateway import GatewayError, NotSent
from portal.kit.compiled_queries import CompiledQuery
from portal.kit.database import from_now
from recharge.choices import Submission
from recharge.limits.services import accounts, outages, pacing, restore_guard
from recharge.limits.services.emergency_stop import NOT_STOPPED
from recharge.limits.services.outages import REACHABLE
from recharge.limits.services.slow_hold import NOT_HELD
from recharge.models import Order, OrderQuerySet

from . import answers, products, transitions
from .replacing import hold_if_original_lives

LEASE_MARGIN = dt.timedelta(seconds=60)

CARD_DOUBT = dt.timedelta(minutes=1)
"""After which an order is looked at again whose card was not active."""


class Due:
    """Finds orders that are due, for one key: an order's or a batch's.

    Args:
        query: makes the query set for a key; it is called once for each of the two.
    """

    def __init__(self, query: Callable[[int], OrderQuerySet]) -> None:
        self.usually = CompiledQuery(lambda key: query(key).filter(NOT_STOPPED, NOT_HELD, REACHABLE))
        self.in_an_outage = CompiledQuery(lambda key: query(key).filter(NOT_STOPPED, NOT_HELD))


QUEUED_ALONE = Due(lambda order_id: Order.objects.single().filter(pk=order_id, submission=Submission.QUEUED))


def submit_order(*, order_id: int) -> None:
    """Hand a queued single order to the platform and record what came of it.

    Does nothing where the order isn't queued, so that any number of workers may be told of it any number of times.

    Args:
        order_id: the order's primary key. An order of a batch goes out with its batch only.
    """
    platform.client()  # settings that make no client must fail before the claim
    if settings.WIKEYUN_MAX_RPS and not Order.objects.filter(pk=order_id, submission=Submission.QUEUED).exists():
        return  # it would take a turn for nothing
    if not accounts.is_confirmed() or restore_guard.token() is None:
        return
    pacing.wait_for_turn()
    started = Started.now()
    order = claim(QUEUED_ALONE, order_id)
    if order:
        hand_over(order, started)


def expire_lease(*, order_id: int) -> None:
    """Give up on a claim whose lease has expired: whether the worker sent the order is unknown.

    Args:
        order_id: an order whose lease may have run out; does nothing where it has not.
    """
    with transaction.atomic(durable=True):
        transitions.expire(order_id)


def lease() -> dt.timedelta:
    """How long a worker may be busy with one order: twice the deadline of the exchange, and a margin."""
    return dt.timedelta(seconds=2 * settings.WIKEYUN_TIMEOUT) + LEASE_MARGIN


def claim(due: Due, key: int) -> Order | None:
    """Take up the first of some orders that are due, None where there is none, or nothing may be sent.

    An order of a card in doubt is put off: it stays queued, and nobody else has to wait behind it. A replacement whose
    original came alive is held back. In an outage of the platform one order goes out now and then, all others wait.

    Args:
        due: finds them.
        key: of the order or the batch that it asks for.
    """
    order = _claim(due.usually, key)
    if order or not outages.is_on():
        return order
    outages.end_if_answered()
    return _claim(due.in_an_outage, key, outages.take_turn)


def _claim(due: CompiledQuery[Order], key: int, may_pass: Callable[[], bool] | None = None) -> Order | None:
    """Take up an order; in an outage `may_pass` says within the claim's transaction whether this worker may."""
    while (seen := restore_guard.token()) is not None:
        with transaction.atomic(durable=True):
            order = due.lock_first(key)
            if order is None:
                return None
            structlog.contextvars.bind_contextvars(order_no=order.order_no)
            card_in_doubt = order.oil_card_id is not None and not may_be_recharged(card_id=order.oil_card_id)
            if card_in_doubt:
                Order.objects.filter(pk=order.pk).update(next_push_at=from_now(CARD_DOUBT))
            elif may_pass and not may_pass():
                return None
            elif transitions.claim(order, lease(), seen, in_an_outage=may_pass is not None):
                return order
            put_off = card_in_doubt or hold_if_original_lives(order)
        if put_off:
            if not order.batch_id:
                return None
        elif restore_guard.look_again() == seen:
            return None  # it wasn't the generation: something else forbids it, or another worker was faster
    return None


@dataclass(frozen=True, slots=True)
class Started:
    """The moment just before a claim, by two clocks, one of which stops while the machine is suspended."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> "Started":
        return cls(time.monotonic(), time.time())

    def seconds_ago(self) -> float:
        return max(time.monotonic() - self.monotonic, time.time() - self.wall)


def hand_over(order: Order, started: Started) -> GatewayError | None:
    """Send a claimed order, and record what came of it.

    Args:
        order: the order.
        started: the moment just before the claim.

    Returns:
        Why the platform didn't take it, as far as is known; None where it did.
    """
    try:
        receipt = products.push(order, look_again=partial(_require_time, order, started))
    except GatewayError as error:
        answers.record_failure(order, error)
        outages.suspect(error)
        return error
    answers.record_receipt(order, receipt)
    return None


def _require_time(order: Order, started: Started) -> None:
    """Send nothing where the exchange might outlast the lease: this process, or the machine, may have stood still.

    The database has the last word, since its clock is the one that the lease runs by.

    Raises:
        NotSent: too little of the lease is left, or it is no longer this worker's.
    """
    in_time = started.seconds_ago() <= settings.WIKEYUN_TIMEOUT
    if not in_time or _leased_for_long(settings.WIKEYUN_TIMEOUT).number(order.pk, "claims") != order.claims:
        raise NotSent("the worker was held up; too little of the lease is left to send safely")


@lru_cache(maxsize=8)
def _leased_for_long(timeout: float) -> CompiledQuery[Order]:
    """Find an order under way whose lease outlasts an exchange of so many seconds that begins now."""
    needed = dt.timedelta(seconds=timeout) + LEASE_MARGIN / 2
    return CompiledQuery(
        lambda order_id: Order.objects.filter(
            pk=order_id, submission=Submission.SUBMITTING, lease_until__gte=from_now(needed)
        )
    )
