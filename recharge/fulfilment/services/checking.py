"""Asking the platform about an order, and concluding from spaced answers, never from silence, that it isn't there."""

import datetime as dt
import time
from dataclasses import dataclass
from functools import cache

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.celery import closing
from portal.gateway import GatewayError, NotSent, Rejected
from portal.kit.compiled_queries import CompiledQuery
from portal.kit.database import from_now, release_connection
from portal.kit.database import now as database_now
from recharge.choices import NOT_HANDED_OVER, SPOKEN_OF, EventKind, MarkKind, Product, Submission, Verdict
from recharge.core.events import describe
from recharge.core.locking import lock
from recharge.limits.services import accounts, outages, pacing
from recharge.models import DEAD_SUBMISSIONS, Order, OrderEvent, OrderQuerySet
from recharge.readings import services as readings

from . import products
from .reports import Query, apply_answer
from .scheduling import CHECK_DELAYS, QUERY_SPACING, UNANSWERED_DELAY, ask_at_once, next_delay, schedule_check
from .transitions import Change, is_over

ANSWER_WITHIN = dt.timedelta(minutes=2)
"""When the sweep asks again if the worker that took up a query never came back."""

MISSING_ANSWERS = 3
MISSING_FOR = dt.timedelta(minutes=30)
MISSING_SPACING = dt.timedelta(minutes=5)
MISSING_DELAY = dt.timedelta(minutes=10)
UNPROVEN_DELAY = dt.timedelta(hours=1)
"""So many answers, over so long and so far apart, prove that the platform never received an order, if it finds another.

As many prove that it has no query for oil orders: one such answer may come of a passing fault.
"""

ANSWERS_LOOKED_AT = 50
"""How many entries of the history are searched for them; failed queries take up some."""

QUERY_DRAIN_SECONDS = 2.0
"""How long a drain of queries works; the sweep opens the next one."""


def _askable(orders: OrderQuerySet) -> OrderQuerySet:
    """Of some orders, those that the platform can know, was not asked about just now, and under this account alone."""
    handed_over = orders.exclude(submission__in=NOT_HANDED_OVER).filter(accounts.of_current())
    return handed_over.filter(Q(asked_at=None) | Q(asked_at__lte=from_now(-QUERY_SPACING)))


@dataclass(frozen=True, slots=True)
class _Askable:
    """The queries that find what to ask about, compiled once for each account that the settings name."""

    this_one: CompiledQuery[Order]
    next_single: CompiledQuery[Order]
    next_of_batches: CompiledQuery[Order]


@cache
def _finding(fingerprint: str) -> _Askable:
    return _Askable(
        CompiledQuery(lambda order_id: _askable(Order.objects.filter(pk=order_id))),
        CompiledQuery(lambda _: _askable(Order.objects.single().due_for_check())),
        CompiledQuery(lambda _: _askable(Order.objects.in_batches().due_for_check())),
    )


TAKEN_UP = CompiledQuery(
    lambda order_id: Order.objects.filter(pk=order_id), asked_at=Now(), next_check_at=from_now(ANSWER_WITHIN)
)


def check_order(*, order_id: int) -> None:
    """Ask the platform about an order and record the answer; at most once a minute, however often it is called.

    Args:
        order_id: the order's primary key. Orders that were not handed over are left alone.
    """
    pacing.wait_for_turn()
    order = _claim(_finding(accounts.fingerprint()).this_one, order_id)
    if order:
        _ask(order)


def check_due_orders() -> None:
    """Ask about the orders that are due, one after the other, for as long as a drain works: single ones first.

    It ends where the platform can't be reached, as a drain of `submission` does.
    """
    over = time.monotonic() + QUERY_DRAIN_SECONDS
    askable = _finding(accounts.fingerprint())
    while time.monotonic() < over and not closing.is_set():
        if not pacing.wait_in_drain():
            continue
        order = _claim(askable.next_single) or _claim(askable.next_of_batches)
        if order is None:
            return
        error = _ask(order)
        structlog.contextvars.unbind_contextvars("order_no")  # the log lines that follow are about other orders
        if isinstance(error, NotSent):
            return


def _claim(askable: CompiledQuery[Order], key: int = 0) -> Order | None:
    """Take up the first of some orders that may be asked about now."""
    with transaction.atomic(durable=True):
        order = askable.lock_first(key)
        if order is None:
            return None
        TAKEN_UP.change(order.pk)
    structlog.contextvars.bind_contextvars(order_no=order.order_no)
    return order


def _ask(order: Order) -> GatewayError | None:
    """Ask about an order and record the answer; return the error that it was."""
    query = Query(order.pk, database_now(), order.heard)
    release_connection()
    try:
        report = products.query(order)
    except Rejected as error:
        taught = readings.in_force()
        if taught.means_no_such_order(error):
            control = _control(order) if _may_conclude(order) else None
            _record_missing(query, error, control)
        elif order.product == Product.OIL and taught.means_no_such_call(error):
            _record_no_such_call(query, error)
        else:
            _record_unanswered(query, error)
        return error
    except GatewayError as error:
        _record_unanswered(query, error)
        outages.suspect(error)
        return error
    apply_answer(query=query, report=report)
    return None


def _record_unanswered(query: Query, error: GatewayError) -> None:
    verdict, raw, note = describe(error)
    with transaction.atomic(durable=True):
        change = Change(lock(query.order_id))
        if change.order.submission == Submission.REJECTED:
            _ask_again_after_refusal(change, answered=isinstance(error, Rejected))
        else:
            schedule_check(change, UNANSWERED_DELAY)
        change.record(EventKind.QUERIED, raw=raw, note=note, verdict=verdict, began_at=query.began_at)


def _ask_again_after_refusal(change: Change, *, answered: bool) -> None:
    """A refused order is asked about until one answer came, but not for ever: its refusal was definite."""
    order = change.order
    order.checks += 1
    again = not answered and order.checks < len(CHECK_DELAYS)
    order.next_check_at = timezone.now() + next_delay(order) if again else None


def _may_conclude(order: Order) -> bool:
    """Say whether one more answer that the order isn't there may be the last that it takes."""
    if order.submission != Submission.UNKNOWN or order.missing_answers < MISSING_ANSWERS - 1:
        return False
    return order.first_missing_at is not None and database_now() - order.first_missing_at >= MISSING_FOR


def _control(order: Order) -> Order | None:
    """Return an order that the platform has spoken of when it was asked, and finds by our number, if there is one.

    The document has queries by the platform's number alone; those by ours are [pub]. Where the platform knew of no
    order by its number of ours, it would deny each that it has as well. It is an order of the same account: what
    another one knows says nothing.
    """
    confirmed = Order.objects.filter(product=order.product, submission=Submission.ACCEPTED, confirmed_at__isnull=False)
    known = confirmed.filter(accounts.of_current()).order_by("-id").first()
    if known is None:
        return None
    release_connection()
    pacing.wait_for_turn()
    try:
        report = products.query(known, by_our_number=True)
    except GatewayError:
        return None
    return known if report.gateway_order_no == known.gateway_order_no else None


def _record_missing(query: Query, error: Rejected, control: Order | None) -> None:
    with transaction.atomic(durable=True):
        change = Change(lock(query.order_id))
        overtaken = query.is_overtaken(change.order)
        if not overtaken:
            _take_as_missing(change, control)
        elif not is_over(change.order):
            ask_at_once(change.order)
        change.record(
            EventKind.QUERIED,
            raw=error.raw,
            note=" ".join([error.code, error.message, *_named(control)]),
            verdict=Verdict.OVERTAKEN if overtaken else Verdict.MISSING,
            began_at=query.began_at,
        )


def _take_as_missing(change: Change, control: Order | None) -> None:
    order = change.order
    order.checks += 1
    order.one_witness = False  # there is a query, and it is an answer
    if order.submission == Submission.UNKNOWN:
        may_conclude = _may_conclude(order)
        _count_missing(change, control)
        schedule_check(change, UNPROVEN_DELAY if may_conclude else MISSING_DELAY)
        return
    if order.submission == Submission.ACCEPTED:
        change.mark(MarkKind.CONFLICT)
    schedule_check(change)


def _record_no_such_call(query: Query, error: Rejected) -> None:
    """`Oil/query` isn't in the platform's document [pub]: where it doesn't exist, callbacks are all there is."""
    with transaction.atomic(durable=True):
        change = Change(lock(query.order_id))
        order = change.order
        if order.submission in DEAD_SUBMISSIONS:
            order.next_check_at = None
        else:
            order.one_witness = order.one_witness or _has_no_query(order, query.began_at)
            schedule_check(change, None if order.one_witness else MISSING_DELAY)
        change.record(
            EventKind.QUERIED, raw=error.raw, note=str(error), verdict=Verdict.REJECTED, began_at=query.began_at
        )


def _has_no_query(order: Order, began_at: dt.datetime) -> bool:
    """Say whether spaced answers, and nothing but such answers, say that the platform doesn't know the call.

    Args:
        order: the order, locked.
        began_at: when the query began whose answer was the last of them; it is not in the history yet.
    """
    moments, taught = [began_at], readings.in_force()
    for event in order.events.filter(kind=EventKind.QUERIED).order_by("-id")[:ANSWERS_LOOKED_AT]:
        if event.verdict in (Verdict.OUTCOME_UNKNOWN, Verdict.NOT_SENT):
            continue
        if event.verdict != Verdict.REJECTED or not taught.means_no_such_call(readings.refusal_of(event.note)):
            break  # it was answered otherwise: there is such a call
        if moments[-1] - event.at >= MISSING_SPACING:
            moments.append(event.at)
    return len(moments) >= MISSING_ANSWERS and moments[0] - moments[-1] >= MISSING_FOR


def _named(control: Order | None) -> list[str]:
    return [_("(found by its number: %(number)s)") % {"number": control.order_no}] if control else []


def _count_missing(change: Change, control: Order | None) -> None:
    """Count an answer that the order isn't there; enough of them prove it, if the platform finds what is there."""
    order, now = change.order, database_now()  # a worker's clock that is fast must prove nothing
    if order.last_missing_at and now - order.last_missing_at < MISSING_SPACING:
        return
    order.missing_answers += 1
    order.first_missing_at = order.first_missing_at or now
    order.last_missing_at = now
    if order.missing_answers < MISSING_ANSWERS or now - order.first_missing_at < MISSING_FOR:
        return
    if has_shown_life(order):
        change.mark(MarkKind.UNEXPECTED)
    elif control:
        change.void()


def tells_of_life(event: OrderEvent) -> bool:
    """Say whether an entry of a history is one in which the platform spoke of the order as of one that it has."""
    answered = event.kind in (EventKind.ANSWERED, EventKind.QUERIED) and event.verdict in SPOKEN_OF
    return answered or event.kind == EventKind.CALLBACK


def has_shown_life(order: Order) -> bool:
    """Say whether the platform ever spoke of the order as of one that it has, however wrongly."""
    reports = order.events.filter(kind__in=(EventKind.ANSWERED, EventKind.QUERIED), verdict__in=SPOKEN_OF)
    return reports.exists() or order.events.filter(kind=EventKind.CALLBACK).exists()
