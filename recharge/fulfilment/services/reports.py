"""What the platform says of an order, by callback or in answer to a query: the only writer of `status`."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import metrics
from portal.gateway import OrderReport
from recharge import status as codes
from recharge.choices import NOT_YET_SENT, EventKind, MarkKind, Submission, Verdict
from recharge.core.events import RAW_LIMIT, clean
from recharge.core.locking import lock, lock_by_number
from recharge.models import DEAD_SUBMISSIONS, Mark, Order
from recharge.readings import services as readings
from recharge.status import Status

from .privacy import hiding, without_personal_data
from .products import card_id
from .scheduling import CHECK_DELAYS, ask_at_once, last_look_at, schedule_check
from .transitions import Change, is_over

MARK_OF_STATUS = {
    Status.REVERSED: MarkKind.REVERSED,
    Status.PARTLY_ARRIVED: MarkKind.PARTLY_ARRIVED,
}
FAILED_OR_BACK = frozenset({Status.FAILED, Status.CANCELLED, Status.REFUNDED})
"""What the platform says of an order whose target was credited nothing."""


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
        change = Change(order)
        if order.submission in NOT_YET_SENT:
            _hold_back(change)
        elif order.submission in DEAD_SUBMISSIONS:
            change.mark(MarkKind.UNEXPECTED)
        elif order.is_provably_unspent or order.is_confirmed_failed:
            change.mark(MarkKind.UNKNOWN_CODE)
        if not order.settled_at or change.is_marked(MarkKind.UNEXPECTED, MarkKind.UNKNOWN_CODE):
            change.overtake()
            ask_at_once(order)
        change.record(EventKind.CALLBACK, raw=raw, verdict=Verdict.UNREADABLE)
    metrics.CALLBACKS.labels(Verdict.UNREADABLE).inc()


@dataclass(frozen=True, slots=True)
class Query:
    """A question about an order that is under way.

    `began_at` is by the database's clock, for people. What decides is `heard`, how often evidence had counted until
    then: it is exact where clocks only nearly are.
    """

    order_id: int
    began_at: dt.datetime
    heard: int

    def is_overtaken(self, order: Order) -> bool:
        """Say whether evidence that counts was taken in since it began: its answer may be older than that."""
        return order.heard != self.heard


def apply_answer(*, query: Query, report: OrderReport) -> Verdict:
    """Take in the platform's own answer to our query, which is what confirms a status.

    Args:
        query: what was asked. Where other evidence was taken in since it began, the answer is kept, and decides
            nothing.
        report: the answer.

    Returns:
        What it did to the order; the evidence is committed in any case.
    """
    return _apply(report, EventKind.QUERIED, lambda: lock(query.order_id), query)


def _apply(
    report: OrderReport,
    source: EventKind,
    lock_order: Callable[[], Order],
    query: Query | None = None,
) -> Verdict:
    with transaction.atomic(durable=True):
        order = lock_order()
        change = Change(order)
        if source == EventKind.CALLBACK:
            report = without_personal_data(order, report)
        read = readings.read(report)
        if not _is_about_another(order, read):
            _note_partial_arrival(change, read)
        if query and query.is_overtaken(order):
            verdict = Verdict.OVERTAKEN
            if not is_over(order):
                ask_at_once(order)
        else:
            verdict = _judge(change, read, first_hand=source == EventKind.QUERIED)
            if source == EventKind.CALLBACK and verdict in (Verdict.CONFLICT, Verdict.MISMATCH, Verdict.UNKNOWN_CODE):
                change.overtake()
            _plan_next_step(change, verdict, source)
        change.record(
            source,
            raw=report.raw,
            verdict=verdict,
            reported_status=report.status,
            note=_read_as(report, read),
            began_at=query.began_at if query else None,
        )
    return verdict


def _read_as(report: OrderReport, read: OrderReport) -> str:
    if report.status == read.status or read.status is None:
        return ""
    return _("Read as “%(state)s”, as was taught.") % {"state": Status(read.status).label}


def apply_read_anew(change: Change, status: Status) -> Verdict:
    """Take in a code that was reported before anybody knew what it means, as hearsay: a fresh answer has to confirm it.

    Args:
        change: of the order that it was reported of; the caller records it.
        status: what it means.

    Returns:
        What it does to the order.
    """
    order = change.order
    report = OrderReport(order.order_no, order.gateway_order_no or "", status, "", "", None, None, None, None, "", "")
    _note_partial_arrival(change, report)
    verdict = _apply_status(change, report, first_hand=False)
    _plan_next_step(change, verdict, EventKind.CALLBACK)
    return verdict


def _judge(change: Change, report: OrderReport, *, first_hand: bool) -> Verdict:
    order = change.order
    if order.submission in NOT_YET_SENT:
        _hold_back(change)
        return Verdict.CONFLICT
    if _is_about_another(order, report):
        change.mark(MarkKind.CONFLICT)
        return Verdict.MISMATCH
    if order.submission != Submission.ACCEPTED and not _accept(change, report, first_hand=first_hand):
        return Verdict.CONFLICT
    return _apply_status(change, report, first_hand=first_hand)


def _hold_back(change: Change) -> None:
    """It must not be sent any more: the platform knows it, so sending it might spend twice."""
    change.lose()
    change.mark(MarkKind.UNEXPECTED)


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


def _accept(change: Change, report: OrderReport, *, first_hand: bool) -> bool:
    """Take the report as evidence that the platform has the order. False: it can't be taken as that."""
    order = change.order
    if order.submission in DEAD_SUBMISSIONS:
        change.mark(MarkKind.UNEXPECTED)
        if not first_hand:
            return False
    if not report.gateway_order_no:
        change.mark(MarkKind.CONFLICT)
        return False
    if Order.objects.filter(gateway_order_no=report.gateway_order_no).exclude(pk=order.pk).exists():
        change.mark(MarkKind.NUMBER_TAKEN)
        return False
    change.accept(report.gateway_order_no)
    return True


def _apply_status(change: Change, report: OrderReport, *, first_hand: bool) -> Verdict:
    order = change.order
    if first_hand:
        order.one_witness = False
    if report.status is None:
        return Verdict.DUPLICATE
    verdict = Verdict(codes.verdict(order.status, report.status))
    if verdict == Verdict.CONFLICT:
        change.mark(MarkKind.CONFLICT)
    elif verdict == Verdict.UNKNOWN_CODE:
        change.mark(MarkKind.UNKNOWN_CODE)
    elif verdict in (Verdict.APPLIED, Verdict.DUPLICATE):
        _take_over(change, report, Status(report.status), verdict, first_hand=first_hand)
    if first_hand and verdict != Verdict.CONFLICT and {report.status, order.status} <= FAILED_OR_BACK:
        change.settle(_("the platform's own answer, asked for after that was dealt with, says that it did not succeed"))
    return verdict


def _take_over(change: Change, report: OrderReport, status: Status, verdict: Verdict, *, first_hand: bool) -> None:
    """Take over what the platform says, where it says something new or what is known already."""
    order = change.order
    if verdict == Verdict.APPLIED:
        change.set_status(status)
        if status != Status.REFUNDED:
            order.reason = ""  # those were words about the code before; why it failed stands beside the refund, too
        if status in MARK_OF_STATUS:
            change.mark(MARK_OF_STATUS[status])
    if first_hand:
        change.confirm()
        _answer_late_contradiction(change)
    if first_hand or not order.confirmed_at:
        _take_over_amounts(order, report)


def _note_partial_arrival(change: Change, report: OrderReport) -> None:
    """Keep it whatever else becomes of the report; `arrived_amount` is optional [pub]: the code alone says it as well.

    What was overtaken, or couldn't be taken as evidence that the platform has the order, told it all the same.
    """
    some = report.credited_amount is not None and 0 < report.credited_amount < change.order.face_value
    if some or report.status == Status.PARTLY_ARRIVED:
        change.part_arrived()


def _answer_late_contradiction(change: Change) -> None:
    """Close a contradiction that was only late news, now that the platform's own answer confirms what is known.

    It was late where it told of a code that the order had had before: callbacks are sent up to six times [doc], and
    may overtake each other. Anything else that contradicts is for a person.
    """
    if not change.is_marked(MarkKind.CONFLICT):
        return
    mark = Mark.objects.open().select_related("event").filter(order=change.order, kind=MarkKind.CONFLICT).first()
    if mark is None or mark.event is None or mark.event.verdict != Verdict.CONFLICT:
        return
    events, code = change.order.events, mark.event.reported_status
    more = events.filter(pk__gt=mark.event.pk, verdict__in=[Verdict.CONFLICT, Verdict.MISMATCH])
    had_it_before = events.filter(pk__lt=mark.event.pk, status_to=code).exclude(status_to=None)
    if had_it_before.exists() and not more.exclude(verdict=Verdict.CONFLICT, reported_status=code).exists():
        change.answer(MarkKind.CONFLICT, _("what contradicted was older news; the platform confirms the later one"))


def _take_over_amounts(order: Order, report: OrderReport) -> None:
    for field in ("cost_price", "rebate", "credited_amount"):
        amount = getattr(report, field)
        if amount is not None and amount >= 0:
            setattr(order, field, amount)
    if report.reason:
        order.reason = clean(report.reason, 300)


def _plan_next_step(change: Change, verdict: Verdict, source: EventKind) -> None:
    order = change.order
    if source == EventKind.QUERIED:
        order.checks += 1
        schedule_check(change)
    elif verdict in (Verdict.CONFLICT, Verdict.MISMATCH, Verdict.UNKNOWN_CODE):
        ask_at_once(order)
    elif is_over(order):
        order.next_check_at = last_look_at(order)
    elif order.status in codes.IN_PROGRESS:
        # News of mere progress would use up the one query a minute just before the outcome comes.
        order.next_check_at = order.next_check_at or timezone.now() + CHECK_DELAYS[0]
    else:
        order.checks = 0  # an older answer that is on its way must not push the next query far off
        ask_at_once(order)
