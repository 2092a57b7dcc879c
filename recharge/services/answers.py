"""Recording what the platform answered to a push.

The answer is nowhere else, so the database gets several chances.

An answer that comes late, after a callback, a query or the end of the lease, still counts as evidence.
"""

import datetime as dt
import time
from collections.abc import Callable
from copy import copy
from functools import partial

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from portal.database import release_connection
from portal.gateway import GatewayError, NotSent, PushReceipt, Rejected
from portal.gateway.guesses import may_mean_duplicate
from portal.statements import swap_row
from recharge.choices import SIGNS_OF_LIFE, Attention, EventKind, Submission, Verdict
from recharge.models import DEAD_SUBMISSIONS, Order

from . import spending
from .database import lock, remember, save_changes
from .events import clean, record
from .scheduling import CHECK_DELAYS, ask_at_once, schedule_check

FIRST_RETRY = dt.timedelta(seconds=15)
LONGEST_RETRY = dt.timedelta(minutes=10)
RECORDING_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between the attempts to record an answer while the database is away."""

ACCEPTED_COLUMNS = (  # not "attention": a callback may have set it a moment ago
    "submission",
    "gateway_order_no",
    "lease_until",
    "checks",
    "next_check_at",
    "cost_price",
    "rebate",
)
Change = Callable[[Order], tuple[Verdict, str, str]]


def record_receipt(claimed: Order, receipt: PushReceipt) -> None:
    """Record that the platform took the order.

    Args:
        claimed: the order as this worker claimed it.
        receipt: the answer.
    """
    try:
        _in_several_attempts(partial(_accept, claimed, receipt))
    except IntegrityError:
        # Another order got the same number a moment ago; the constraint saw it before we could.
        _in_several_attempts(partial(_record_once, claimed, partial(_number_taken, receipt=receipt)))


def record_failure(claimed: Order, error: GatewayError) -> None:
    """Record that the platform refused the order, that it never left, or that nobody knows.

    Args:
        claimed: the order as this worker claimed it.
        error: what the push raised.
    """
    if isinstance(error, NotSent):
        change: Change = partial(_not_sent, error=error, claims=claimed.claims)
    elif isinstance(error, Rejected):
        change = partial(_rejected, error=error)
    else:
        change = partial(_outcome_unknown, raw=getattr(error, "raw", "") or str(error), note="")
    _in_several_attempts(partial(_record_once, claimed, change))


def _in_several_attempts(write: Callable[[], object]) -> None:
    for pause in RECORDING_PAUSES:
        try:
            write()
        except OperationalError:
            release_connection()
            time.sleep(pause)
        else:
            return
    write()


def _accept(claimed: Order, receipt: PushReceipt) -> None:
    if not _accept_if_undisturbed(claimed, receipt):
        _record_once(claimed, partial(_accepted, receipt=receipt))


def _accept_if_undisturbed(claimed: Order, receipt: PushReceipt) -> bool:
    """Accept the order by one compare-and-swap, as it nearly always is; False where anything happened meanwhile.

    It asks for this very claim: whatever a callback, the sweep or a second claim changed is for `_accepted` to judge.
    The constraint on the platform's number refuses one that another order has.
    """
    accepted = copy(claimed)
    accepted.submission = Submission.ACCEPTED
    accepted.gateway_order_no = receipt.gateway_order_no
    accepted.lease_until = None
    accepted.checks = 0
    _take_over_prices(accepted, receipt)
    schedule_check(accepted)
    undisturbed: dict[str, int | str] = {"submission": Submission.SUBMITTING, "claims": claimed.claims}
    with transaction.atomic(durable=True):
        if not swap_row(accepted, ACCEPTED_COLUMNS, undisturbed):
            return False
        record(
            claimed,
            EventKind.ANSWERED,
            raw=receipt.raw,
            verdict=Verdict.APPLIED,
            submission_from=Submission.SUBMITTING,
            submission_to=Submission.ACCEPTED,
        )
    return True


def _record_once(claimed: Order, change: Change) -> None:
    """Lock the order, let `change` mutate it, save it and append the event that `change` describes."""
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


def _accepted(order: Order, receipt: PushReceipt) -> tuple[Verdict, str, str]:
    if order.submission == Submission.ACCEPTED:
        return _accepted_before(order, receipt)
    number = receipt.gateway_order_no
    if Order.objects.filter(gateway_order_no=number).exclude(pk=order.pk).exists():
        return _number_taken(order, receipt)
    if order.submission not in (Submission.SUBMITTING, Submission.UNKNOWN):
        order.attention = Attention.UNEXPECTED
    if order.submission in DEAD_SUBMISSIONS:
        spending.count_again(order)
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
        spending.uncount([order])
    elif order.submission == Submission.ACCEPTED:
        order.attention = Attention.CONFLICT
        ask_at_once(order)
    return Verdict.REJECTED, error.raw, note


def _not_sent(order: Order, error: NotSent, claims: int) -> tuple[Verdict, str, str]:
    """Queue the order again, unless this is recorded once more after another worker has taken it up since."""
    if order.submission == Submission.SUBMITTING and order.claims == claims:
        if order.attention in SIGNS_OF_LIFE:
            return _outcome_unknown(order, str(error), "")  # the platform spoke of it: sending might spend twice
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
