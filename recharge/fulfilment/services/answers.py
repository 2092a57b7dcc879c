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

from portal.gateway import GatewayError, NotSent, PushReceipt, Rejected
from portal.kit.database import release_connection
from recharge.choices import NOT_YET_SENT, SIGNS_OF_LIFE, EventKind, MarkKind, Submission, Verdict
from recharge.core.events import clean
from recharge.core.locking import lock
from recharge.models import Order
from recharge.readings import services as readings

from .products import card_id
from .scheduling import CHECK_DELAYS, REFUSED_DELAY, ask_at_once, schedule_check
from .transitions import Change, accept_undisturbed

FIRST_RETRY = dt.timedelta(seconds=15)
MAX_RETRY_DELAY = dt.timedelta(minutes=10)
RECORDING_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between the attempts to record an answer while the database is away."""

Answered = tuple[Verdict, str, str]
"""Verdict, evidence and note of the entry in the history."""
Judge = Callable[[Change], Answered]


def record_receipt(claimed: Order, receipt: PushReceipt) -> None:
    """Record that the platform took the order.

    Args:
        claimed: the order as this worker claimed it.
        receipt: the answer.
    """
    try:
        _in_several_attempts(partial(_accept, claimed, receipt))
    except IntegrityError:
        # Another order got the same number a moment ago: the constraint catches what no check before could see.
        _in_several_attempts(partial(_record_once, claimed, partial(_number_taken, receipt=receipt)))


def record_failure(claimed: Order, error: GatewayError) -> None:
    """Record that the platform refused the order, that it never left, or that nobody knows.

    Args:
        claimed: the order as this worker claimed it.
        error: what the push raised.
    """
    if isinstance(error, NotSent):
        judge: Judge = partial(_not_sent, error=error, claims=claimed.claims)
    elif isinstance(error, Rejected):
        judge = partial(_rejected, error=error)
    else:
        judge = partial(_outcome_unknown, raw=getattr(error, "raw", "") or str(error), note="")
    _in_several_attempts(partial(_record_once, claimed, judge))


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
    if _contradicts(claimed, receipt) or not _accept_if_undisturbed(claimed, receipt):
        _record_once(claimed, partial(_accepted, receipt=receipt))


def _accept_if_undisturbed(claimed: Order, receipt: PushReceipt) -> bool:
    """Accept the order by one compare-and-swap, as it nearly always is; False where anything happened meanwhile.

    It asks for this very claim: whatever a callback, the sweep or a second claim changed is for `_accepted` to judge.
    The constraint on the platform's number refuses one that another order has.
    """
    accepted = copy(claimed)
    accepted.gateway_order_no = receipt.gateway_order_no
    accepted.next_check_at = timezone.now() + CHECK_DELAYS[0]
    _take_over_prices(accepted, receipt)
    with transaction.atomic(durable=True):
        return accept_undisturbed(accepted, receipt.raw)


def _record_once(claimed: Order, judge: Judge) -> None:
    """Lock the order, let `judge` say what the answer makes of it, and record that."""
    with transaction.atomic(durable=True):
        change = Change(lock(claimed.pk))
        verdict, raw, note = judge(change)
        change.record(EventKind.ANSWERED, verdict=verdict, raw=raw, note=note)


def _accepted(change: Change, receipt: PushReceipt) -> Answered:
    order = change.order
    if order.submission == Submission.ACCEPTED:
        return _accepted_before(change, receipt)
    if Order.objects.filter(gateway_order_no=receipt.gateway_order_no).exclude(pk=order.pk).exists():
        return _number_taken(change, receipt)
    if order.submission not in (Submission.SUBMITTING, Submission.UNKNOWN):
        change.mark(MarkKind.UNEXPECTED)
    if order.submission in NOT_YET_SENT:
        change.lose()  # the answer to a claim that was given up: it was sent all the same
    change.accept(receipt.gateway_order_no)
    _take_over_prices(order, receipt)
    schedule_check(change)
    if _contradicts(order, receipt):
        change.mark(MarkKind.CONFLICT)
        ask_at_once(order)
        return Verdict.MISMATCH, receipt.raw, ""
    return Verdict.APPLIED, receipt.raw, ""


def _accepted_before(change: Change, receipt: PushReceipt) -> Answered:
    """A callback arrived before the answer to the push."""
    order = change.order
    if order.gateway_order_no != receipt.gateway_order_no or _contradicts(order, receipt):
        change.mark(MarkKind.CONFLICT)
        return Verdict.MISMATCH, receipt.raw, ""
    _take_over_prices(order, receipt)
    return Verdict.DUPLICATE, receipt.raw, ""


def _contradicts(order: Order, receipt: PushReceipt) -> bool:
    """Say whether the receipt states another order, target or value than was pushed."""
    pairs = (
        (receipt.order_no, order.order_no),
        (receipt.mobile, order.mobile),
        (receipt.card_id, card_id(order) if receipt.card_id else ""),
    )
    if any(theirs and ours and theirs != ours for theirs, ours in pairs):
        return True
    return receipt.face_value is not None and receipt.face_value != order.face_value


def _take_over_prices(order: Order, receipt: PushReceipt) -> None:
    if receipt.cost_price is not None and receipt.cost_price >= 0:
        order.cost_price = receipt.cost_price
    if receipt.rebate is not None:
        order.rebate = receipt.rebate


def _number_taken(change: Change, receipt: PushReceipt) -> Answered:
    change.mark(MarkKind.NUMBER_TAKEN)
    _make_unknown(change)
    return Verdict.CONFLICT, receipt.raw, ""


def _rejected(change: Change, error: Rejected) -> Answered:
    """Take a refusal for one only where its words leave no doubt: whatever else isn't sure is unknown."""
    order, note = change.order, clean(f"{error.code} {error.message}", 300)
    if not readings.in_force().is_definite_no(error):
        return _outcome_unknown(change, error.raw, note)
    if order.submission == Submission.SUBMITTING:
        if change.is_marked(*SIGNS_OF_LIFE):
            return _outcome_unknown(change, error.raw, note)  # the platform spoke of it: one of the two is wrong
        change.reject(note)
        order.next_check_at = timezone.now() + REFUSED_DELAY
    elif order.submission == Submission.ACCEPTED:
        change.mark(MarkKind.CONFLICT)
        ask_at_once(order)
    return Verdict.REJECTED, error.raw, note


def _not_sent(change: Change, error: NotSent, claims: int) -> Answered:
    """Queue the order again, unless this is recorded once more after another worker has taken it up since."""
    order = change.order
    if order.submission == Submission.SUBMITTING and order.claims == claims:
        if change.is_marked(*SIGNS_OF_LIFE):
            return _outcome_unknown(change, str(error), "")  # the platform spoke of it: sending might spend twice
        change.requeue(min(FIRST_RETRY * 2 ** min(order.not_sent, 10), MAX_RETRY_DELAY))
    return Verdict.NOT_SENT, str(error), ""


def _outcome_unknown(change: Change, raw: str, note: str) -> Answered:
    _make_unknown(change)
    return Verdict.OUTCOME_UNKNOWN, raw, note


def _make_unknown(change: Change) -> None:
    if change.order.submission == Submission.SUBMITTING:
        change.lose()
        schedule_check(change, CHECK_DELAYS[0])
