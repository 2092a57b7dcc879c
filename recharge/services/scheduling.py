"""When to ask the platform next, and when to call for a person instead."""

import datetime as dt

from django.utils import timezone

from recharge.choices import SIGNS_OF_LIFE, Attention, Submission
from recharge.models import Order
from recharge.status import FINAL

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

OVERDUE_AFTER = dt.timedelta(days=7)


def schedule_check(order: Order, delay: dt.timedelta | None = None) -> None:
    """Set when to ask next, or call for a person where asking has been in vain for a week.

    Args:
        order: the order, locked; the caller saves it.
        delay: how long to wait; by default the next step of CHECK_DELAYS.
    """
    now = timezone.now()
    overdue_at = (order.submitted_at or order.placed_at) + OVERDUE_AFTER
    if order.settled_at and order.attention not in SIGNS_OF_LIFE:
        order.next_check_at = None
    elif now > overdue_at:
        order.next_check_at = None
        order.attention = order.attention or Attention.OVERDUE
    elif order.one_witness:
        order.next_check_at = min(now + CHECK_DELAYS[-1], overdue_at)  # the platform may get the query yet
    else:
        if delay is None:
            delay = CHECK_DELAYS[min(order.checks, len(CHECK_DELAYS) - 1)]
        order.next_check_at = now + delay


def ask_at_once(order: Order) -> None:
    """Make a query due as soon as the spacing of queries allows; the caller saves the order."""
    now = timezone.now()
    order.next_check_at = max(now, order.asked_at + QUERY_SPACING) if order.asked_at else now


def settle_if_over(order: Order) -> None:
    """Mark the order as settled where a final status is confirmed, or never can be; the caller saves it."""
    witnessed = order.confirmed_at or order.one_witness
    over = order.submission == Submission.ACCEPTED and order.status in FINAL and witnessed
    if over and not order.settled_at:
        order.settled_at = timezone.now()
    elif not over and order.submission == Submission.ACCEPTED:
        order.settled_at = None
    if order.settled_at:
        order.next_check_at = None
