"""What the platform says of an order, by callback or in answer to a query: the only writer of `status`."""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from portal import metrics
from portal.gateway import OrderReport
from recharge import status as codes
from recharge.choices import NOT_YET_SENT, Attention, EventKind, Submission, Verdict
from recharge.models import DEAD_SUBMISSIONS, Order
from recharge.status import Status

from . import spending
from .database import lock, lock_by_number, remember, save_changes
from .events import RAW_LIMIT, clean, record
from .privacy import hiding, without_personal_data
from .products import card_id
from .scheduling import CHECK_DELAYS, ask_at_once, schedule_check, settle_if_over

ATTENTION_OF_STATUS = {
    Status.REVERSED: Attention.REVERSED,
    Status.PARTLY_ARRIVED: Attention.PARTLY_ARRIVED,
}
IN_BETWEEN = (Submission.SUBMITTING, Submission.UNKNOWN)


def receive_callback(*, order_no: str, report: OrderReport) -> Verdict:
    """Take in a callback: applied at once, but confirmed only by the answer to the query it makes due.

    Args:
        order_no: our number, from the signed address to which the callback came.
        report: what it says.

    Returns:
        What it did to the order; the evidence is committed in any case.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    verdict = _apply(report, EventKind.CALLBACK, lambda: lock_by_number(order_no))
    metrics.CALLBACKS.labels(verdict).inc()
    return verdict


def keep_unreadable_callback(*, order_no: str, raw: str) -> None:
    """Keep what came to an order's address and can't be understood, and ask the platform what it is about.

    Args:
        order_no: our number, from the signed address to which it came.
        raw: what came; the same once more is kept once.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    with transaction.atomic(durable=True):
        order = lock_by_number(order_no)
        hide = hiding(order)
        raw = clean(hide(raw) if hide else raw, RAW_LIMIT)
        if order.events.filter(verdict=Verdict.UNREADABLE, raw=raw).exists():
            return
        before = remember(order)
        if order.submission in NOT_YET_SENT:
            _hold(order)
        elif order.submission in DEAD_SUBMISSIONS:
            order.attention = Attention.UNEXPECTED
        if not order.settled_at or order.attention == Attention.UNEXPECTED:
            ask_at_once(order)
        save_changes(order, before)
        record(
            order,
            EventKind.CALLBACK,
            raw=raw,
            verdict=Verdict.UNREADABLE,
            submission_from=before["submission"],
            submission_to=order.submission,
        )
    metrics.CALLBACKS.labels(Verdict.UNREADABLE).inc()


def apply_answer(*, order_id: int, report: OrderReport) -> Verdict:
    """Take in the platform's own answer to our query, which is what confirms a status.

    Args:
        order_id: the order that was asked for.
        report: the answer.

    Returns:
        What it did to the order; the evidence is committed in any case.
    """
    return _apply(report, EventKind.QUERIED, lambda: lock(order_id))


def _apply(report: OrderReport, source: EventKind, lock_order: Callable[[], Order]) -> Verdict:
    with transaction.atomic(durable=True):
        order = lock_order()
        before = remember(order)
        if source == EventKind.CALLBACK:
            report = without_personal_data(order, report)
        verdict = _judge(order, report, first_hand=source == EventKind.QUERIED)
        _plan_next_step(order, verdict, source)
        save_changes(order, before)
        record(
            order,
            source,
            raw=report.raw,
            verdict=verdict,
            submission_from=before["submission"],
            submission_to=order.submission,
            status_from=before["status"],
            status_to=order.status,
            reported_status=report.status,
        )
    return verdict


def _judge(order: Order, report: OrderReport, *, first_hand: bool) -> Verdict:
    if order.submission in NOT_YET_SENT:
        _hold(order)
        return Verdict.CONFLICT
    if _is_about_another(order, report):
        order.attention = Attention.CONFLICT
        return Verdict.CONFLICT
    if order.submission != Submission.ACCEPTED and not _accept(order, report, first_hand=first_hand):
        return Verdict.CONFLICT
    return _apply_status(order, report, first_hand=first_hand)


def _hold(order: Order) -> None:
    """It must not be sent any more: whatever made the platform know it, sending might spend twice."""
    order.submission = Submission.UNKNOWN
    order.next_push_at = None
    order.attention = Attention.UNEXPECTED


def _is_about_another(order: Order, report: OrderReport) -> bool:
    pairs = (
        (report.order_no, order.order_no),
        (report.gateway_order_no, order.gateway_order_no or ""),
        (report.mobile, order.mobile),
        (report.card_id, card_id(order)),
    )
    if any(theirs and ours and theirs != ours for theirs, ours in pairs):
        return True
    if report.face_value is not None and report.face_value != order.face_value:
        return True
    return not report.order_no and report.gateway_order_no != order.gateway_order_no


def _accept(order: Order, report: OrderReport, *, first_hand: bool) -> bool:
    """Take the report as evidence that the platform has the order. False: it can't be taken as that."""
    if order.submission in DEAD_SUBMISSIONS:
        order.attention = Attention.UNEXPECTED
        if not first_hand:
            return False
    if not report.gateway_order_no:
        order.attention = order.attention or Attention.CONFLICT
        return False
    if Order.objects.filter(gateway_order_no=report.gateway_order_no).exclude(pk=order.pk).exists():
        order.attention = Attention.NUMBER_TAKEN
        return False
    if order.submission in DEAD_SUBMISSIONS:
        spending.count_again(order)
    order.submission = Submission.ACCEPTED
    order.gateway_order_no = report.gateway_order_no
    order.lease_until = None
    order.settled_at = None
    return True


def _apply_status(order: Order, report: OrderReport, *, first_hand: bool) -> Verdict:
    if first_hand:
        order.one_witness = False
    if report.status is None:
        return Verdict.DUPLICATE
    verdict = Verdict(codes.verdict(order.status, report.status))
    now = timezone.now()
    if verdict == Verdict.APPLIED:
        order.status = report.status
        order.status_at = now
        order.confirmed_at = None
        order.attention = ATTENTION_OF_STATUS.get(Status(report.status), order.attention)
    elif verdict == Verdict.CONFLICT:
        order.attention = Attention.CONFLICT
    elif verdict == Verdict.UNKNOWN_CODE:
        order.attention = Attention.UNKNOWN_CODE
    if verdict in (Verdict.APPLIED, Verdict.DUPLICATE):
        if first_hand:
            order.confirmed_at = now
        if first_hand or not order.confirmed_at:
            _take_over_amounts(order, report)
    return verdict


def _take_over_amounts(order: Order, report: OrderReport) -> None:
    for field in ("cost_price", "rebate", "credited_amount"):
        amount = getattr(report, field)
        if amount is not None and amount >= 0:
            setattr(order, field, amount)
    if report.reason:
        order.reason = clean(report.reason, 300)


def _plan_next_step(order: Order, verdict: Verdict, source: EventKind) -> None:
    settle_if_over(order)
    if source == EventKind.QUERIED:
        order.checks += 1
        schedule_check(order)
    elif verdict in (Verdict.CONFLICT, Verdict.UNKNOWN_CODE):
        ask_at_once(order)
    elif not order.settled_at:
        # News of mere progress would use up the one query a minute just before the outcome comes.
        if order.status in codes.IN_PROGRESS:
            order.next_check_at = order.next_check_at or timezone.now() + CHECK_DELAYS[0]
        else:
            order.checks = 0  # an older answer that is on its way must not push the next query far off
            ask_at_once(order)
