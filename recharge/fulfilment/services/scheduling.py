"""When to ask the platform next, and when to call for a person instead."""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from recharge.choices import SIGNS_OF_LIFE, MarkKind
from recharge.models import Mark, Order
from recharge.status import FINAL

from .transitions import Change, is_over

CHECK_DELAYS = [
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=10),
    dt.timedelta(hours=1),
    dt.timedelta(hours=6),
    dt.timedelta(days=1),
]
"""Between acceptance and the first query, then between one query and the next; the last one repeats."""

UNANSWERED_DELAY = dt.timedelta(minutes=5)
"""After a query without a usable answer."""

QUERY_SPACING = dt.timedelta(minutes=1)
"""The least time between two queries of one order."""

REFUSED_DELAY = dt.timedelta(minutes=5)
"""After a refusal: the platform is asked once whether it has the order all the same."""

OVERDUE_AFTER = dt.timedelta(days=7)


def schedule_check(change: Change, delay: dt.timedelta | None = None) -> None:
    """Set when to ask next, or call for a person where a week of asking has not settled the order.

    Args:
        change: what is happening to the order; the caller records it.
        delay: how long to wait; by default the next step of CHECK_DELAYS.
    """
    order, now = change.order, timezone.now()
    _call_for_second_witness(change)
    overdue_at = (order.submitted_at or order.placed_at) + OVERDUE_AFTER
    if is_over(order) and not change.is_marked(*SIGNS_OF_LIFE):
        order.next_check_at = last_look_at(order)
    elif now > overdue_at:
        order.next_check_at = None
        change.mark(MarkKind.OVERDUE)
    elif order.one_witness:
        order.next_check_at = min(now + CHECK_DELAYS[-1], overdue_at)  # the platform may get the query yet
    else:
        order.next_check_at = now + (next_delay(order) if delay is None else delay)


def last_look_at(order: Order) -> dt.datetime | None:
    """Return when to ask once more about an order that only a callback ended; None where that is past or pointless."""
    due = _witness_wanted_by(order)
    return due if due and due > timezone.now() else None


def _call_for_second_witness(change: Change) -> None:
    """Mark what only a callback told, and what the platform's own answers have not confirmed for long, once."""
    due = _witness_wanted_by(change.order)
    if due is None or due > timezone.now():
        return
    told = Mark.objects.filter(order=change.order, kind=MarkKind.ONE_WITNESS, since__gte=change.order.status_at)
    if not told.exists():
        change.mark(MarkKind.ONE_WITNESS)


def _witness_wanted_by(order: Order) -> dt.datetime | None:
    if not settings.ONE_WITNESS_AFTER or order.status not in FINAL or order.confirmed_at or order.status_at is None:
        return None
    return order.status_at + settings.ONE_WITNESS_AFTER


def next_delay(order: Order) -> dt.timedelta:
    """Return how long to wait before the next query, by how many there were."""
    return CHECK_DELAYS[min(order.checks, len(CHECK_DELAYS) - 1)]


def ask_at_once(order: Order) -> None:
    """Make a query due as soon as the spacing of queries allows; the caller saves the order."""
    now = timezone.now()
    order.next_check_at = max(now, order.asked_at + QUERY_SPACING) if order.asked_at else now
