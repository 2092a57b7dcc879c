"""Handing an order to the platform: at most once, ever.

The claim is committed before the first byte goes out, the call is made with no transaction and no connection held,
and what came of it is recorded in a second transaction. Whoever dies in between leaves a lease that runs out, and
the order becomes UNKNOWN: it may have been sent.
"""

import datetime as dt
import time
from collections.abc import Callable
from functools import partial

import structlog
from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from oilcards.services.orders import can_recharge
from portal import platform
from portal.database import from_now, release_connection
from portal.gateway import NotSent, OutcomeUnknown, PushReceipt, Rejected
from portal.gateway.guesses import may_mean_duplicate
from recharge.choices import Attention, EventKind, Submission, Verdict
from recharge.models import Order

from . import products
from .database import lock, remember, save_changes
from .events import clean, record
from .scheduling import CHECK_DELAYS, ask_at_once, schedule_check

LEASE_MARGIN = dt.timedelta(seconds=60)
FIRST_RETRY = dt.timedelta(seconds=15)
RECORDING_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between the attempts to record an answer while the database is away."""

LONGEST_RETRY = dt.timedelta(minutes=10)


def submit_order(*, order_id: int) -> None:
    """Hand a queued order to the platform and record what came of it.

    Does nothing where the order isn't queued, so that any number of workers may be told of it any number of times.

    Args:
        order_id: the order's primary key.
    """
    platform.client()  # settings that make no client must fail before the claim
    started = time.monotonic()
    order = _claim(order_id)
    if order is None:
        return
    release_connection()
    try:
        if time.monotonic() - started > settings.WIKEYUN_TIMEOUT:
            raise NotSent("the worker was held up; too little of the lease is left to send safely")
        receipt = products.push(order)
    except NotSent as error:
        _record(order, partial(_not_sent, error=error))
    except Rejected as error:
        _record(order, partial(_rejected, error=error))
    except OutcomeUnknown as error:
        _record(order, partial(_outcome_unknown, raw=error.raw or str(error), note=""))
    else:
        _record_receipt(order, receipt)


def expire_lease(*, order_id: int) -> None:
    """Give up on a worker that never came back: whether it sent the order is unknown.

    Args:
        order_id: an order whose lease may have run out; does nothing where it has not.
    """
    with transaction.atomic(durable=True):
        expired = Order.objects.with_expired_lease().filter(pk=order_id)
        if not expired.update(
            submission=Submission.UNKNOWN, lease_until=None, next_check_at=Now(), asked_at=None, checks=0
        ):
            return
        record(
            Order(pk=order_id),
            EventKind.LEASE_EXPIRED,
            submission_from=Submission.SUBMITTING,
            submission_to=Submission.UNKNOWN,
            verdict=Verdict.OUTCOME_UNKNOWN,
        )


def lease() -> dt.timedelta:
    """How long a worker may be busy with one order: twice the deadline of the exchange, and a margin."""
    return dt.timedelta(seconds=2 * settings.WIKEYUN_TIMEOUT) + LEASE_MARGIN


def _claim(order_id: int) -> Order | None:
    with transaction.atomic(durable=True):
        claimed = Order.objects.filter(pk=order_id, submission=Submission.QUEUED).update(
            submission=Submission.SUBMITTING,
            lease_until=from_now(lease()),
            next_push_at=None,
            claims=F("claims") + 1,
            submitted_at=Now(),
        )
        if not claimed:
            return None
        order = Order.objects.get(pk=order_id)
        if order.oil_card and not can_recharge(order.oil_card):
            transaction.set_rollback(True)  # it stays queued; the sweep comes back to it
            return None
        structlog.contextvars.bind_contextvars(order_no=order.order_no)
        record(
            order,
            EventKind.CLAIMED,
            submission_from=Submission.QUEUED,
            submission_to=Submission.SUBMITTING,
        )
    return order


def _record(claimed: Order, change: Callable[[Order], tuple[Verdict, str, str]]) -> None:
    """Lock the order, let `change` mutate it, save it and append the event that `change` describes.

    The database gets several chances: what the platform answered is nowhere else.
    """
    for pause in RECORDING_PAUSES:
        try:
            return _record_once(claimed, change)
        except OperationalError:
            release_connection()
            time.sleep(pause)
    _record_once(claimed, change)


def _record_once(claimed: Order, change: Callable[[Order], tuple[Verdict, str, str]]) -> None:
    with transaction.atomic(durable=True):
        order = lock(claimed.pk)
        before = remember(order)
        verdict, raw, note = change(order)
        save_changes(order, before)
        record(
            order,
            EventKind.ANSWERED,
            raw=raw,
            note=note,
            verdict=verdict,
            submission_from=before["submission"],
            submission_to=order.submission,
            status_from=before["status"],
            status_to=order.status,
        )


def _record_receipt(claimed: Order, receipt: PushReceipt) -> None:
    try:
        _record(claimed, partial(_accepted, receipt=receipt))
    except IntegrityError:
        # Another order got the same number a moment ago; the constraint saw it before we could.
        _record(claimed, partial(_number_taken, receipt=receipt))


def _accepted(order: Order, receipt: PushReceipt) -> tuple[Verdict, str, str]:
    if order.submission == Submission.ACCEPTED:
        return _accepted_before(order, receipt)
    number = receipt.gateway_order_no
    if Order.objects.filter(gateway_order_no=number).exclude(pk=order.pk).exists():
        return _number_taken(order, receipt)
    if order.submission not in (Submission.SUBMITTING, Submission.UNKNOWN):
        order.attention = Attention.UNEXPECTED
    order.submission = Submission.ACCEPTED
    order.gateway_order_no = number
    order.lease_until = order.next_push_at = order.settled_at = None
    order.checks = 0
    _take_over_prices(order, receipt)
    schedule_check(order)
    return Verdict.APPLIED, receipt.raw, ""


def _accepted_before(order: Order, receipt: PushReceipt) -> tuple[Verdict, str, str]:
    """A callback was faster than the answer to the push."""
    if order.gateway_order_no != receipt.gateway_order_no:
        order.attention = Attention.CONFLICT
        return Verdict.CONFLICT, receipt.raw, ""
    _take_over_prices(order, receipt)
    return Verdict.DUPLICATE, receipt.raw, ""


def _take_over_prices(order: Order, receipt: PushReceipt) -> None:
    if receipt.cost_price is not None and receipt.cost_price >= 0:
        order.cost_price = receipt.cost_price
    if receipt.rebate is not None:
        order.rebate = receipt.rebate


def _number_taken(order: Order, receipt: PushReceipt) -> tuple[Verdict, str, str]:
    order.attention = Attention.NUMBER_TAKEN
    _make_unknown(order)
    return Verdict.CONFLICT, receipt.raw, ""


def _rejected(order: Order, error: Rejected) -> tuple[Verdict, str, str]:
    note = clean(f"{error.code} {error.message}", 300)
    if may_mean_duplicate(error):
        return _outcome_unknown(order, error.raw, note)
    if order.submission == Submission.SUBMITTING:
        order.submission = Submission.REJECTED
        order.lease_until = None
        order.refusal = note
        order.settled_at = timezone.now()
    elif order.submission == Submission.ACCEPTED:
        order.attention = Attention.CONFLICT
        ask_at_once(order)
    return Verdict.REJECTED, error.raw, note


def _not_sent(order: Order, error: NotSent) -> tuple[Verdict, str, str]:
    if order.submission == Submission.SUBMITTING:
        delay = min(FIRST_RETRY * 2 ** min(order.not_sent, 10), LONGEST_RETRY)
        order.submission = Submission.QUEUED
        order.lease_until = None
        order.not_sent += 1
        order.next_push_at = timezone.now() + delay
    return Verdict.NOT_SENT, str(error), ""


def _outcome_unknown(order: Order, raw: str, note: str) -> tuple[Verdict, str, str]:
    _make_unknown(order)
    return Verdict.OUTCOME_UNKNOWN, raw, note


def _make_unknown(order: Order) -> None:
    if order.submission == Submission.SUBMITTING:
        order.submission = Submission.UNKNOWN
        order.lease_until = None
        order.checks = 0
        schedule_check(order, CHECK_DELAYS[0])
