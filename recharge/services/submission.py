"""Handing an order to the platform: at most once, ever.

The claim is committed before the first byte goes out, the call is made with no transaction and no connection held,
and what came of it is recorded in a second transaction. Whoever dies in between leaves a lease that runs out, and
the order becomes UNKNOWN: it may have been sent.
"""

import datetime as dt
import random
import time

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from oilcards.services.orders import may_be_recharged
from portal import platform
from portal.database import from_now, release_connection
from portal.gateway import GatewayError, NotSent
from recharge.choices import EventKind, Submission, Verdict
from recharge.models import Batch, Order, OrderQuerySet

from . import answers, braking, pacing, products, queue
from .events import record
from .stopping import NOT_STOPPED

LEASE_MARGIN = dt.timedelta(seconds=60)
CARD_DOUBT = dt.timedelta(minutes=1)
"""After which an order is looked at again whose card was not active."""


def submit_order(*, order_id: int) -> None:
    """Hand a queued single order to the platform and record what came of it.

    Does nothing where the order isn't queued, so that any number of workers may be told of it any number of times.

    Args:
        order_id: the order's primary key. An order of a batch goes out with its batch only.
    """
    platform.client()  # settings that make no client must fail before the claim
    single = Order.objects.single().filter(pk=order_id, submission=Submission.QUEUED)
    if settings.WIKEYUN_MAX_RPS and not single.exists():
        return  # it would take a turn for nothing
    pacing.wait_for_turn()
    started = time.monotonic()
    order = _claim(single)
    if order:
        _hand_over(order, started)


def submit_batches() -> None:
    """Hand over orders of one of the batches under way, one after the other, for as long as a lane works.

    Any number of lanes may work at the same time, and on as many batches as there are: each takes up a batch by lot.
    """
    platform.client()
    over = time.monotonic() + queue.LANE_SECONDS
    batches = list(Batch.objects.under_way().order_by().values_list("pk", flat=True))
    random.shuffle(batches)
    while batches and time.monotonic() < over:
        if not pacing.wait_in_lane():
            continue
        started = time.monotonic()
        order = _claim(Order.objects.next_in_batch(batches[-1]))
        if order:
            _hand_over(order, started)
        else:
            batches.pop()


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


def _claim(due: OrderQuerySet) -> Order | None:
    """Take up the first of some orders that are due, None where there is none, or everything is stopped.

    An order of a card in doubt is put off: it stays queued, and nobody else may wait behind it.
    """
    while True:
        with transaction.atomic(durable=True):
            order = due.filter(NOT_STOPPED).select_for_update(of=("self",), skip_locked=True).first()
            if order is None:
                return None
            queued = Order.objects.filter(pk=order.pk, submission=Submission.QUEUED)
            if order.oil_card_id and not may_be_recharged(card_id=order.oil_card_id):
                queued.update(next_push_at=from_now(CARD_DOUBT))
                if not order.batch_id:
                    return None
                continue
            claimed = queued.update(
                submission=Submission.SUBMITTING,
                lease_until=from_now(lease()),
                next_push_at=None,
                claims=F("claims") + 1,
                submitted_at=Now(),
            )
            if not claimed:
                return None
            order.submission, order.claims = Submission.SUBMITTING, order.claims + 1
            structlog.contextvars.bind_contextvars(order_no=order.order_no)
            record(
                order,
                EventKind.CLAIMED,
                submission_from=Submission.QUEUED,
                submission_to=Submission.SUBMITTING,
            )
        return order


def _hand_over(order: Order, started: float) -> None:
    """Send a claimed order, and record what came of it.

    Args:
        order: the order.
        started: the moment just before the claim, by `time.monotonic`.
    """
    release_connection()
    try:
        if time.monotonic() - started > settings.WIKEYUN_TIMEOUT:
            raise NotSent("the worker was held up; too little of the lease is left to send safely")
        receipt = products.push(order)
    except GatewayError as error:
        answers.record_failure(order, error)
    else:
        answers.record_receipt(order, receipt)
        if not getattr(order, "goes_ahead", False):
            return
    if order.batch_id:
        braking.look_at(batch_id=order.batch_id)
