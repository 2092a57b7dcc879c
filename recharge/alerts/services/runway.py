"""How long the balance at the platform lasts: at the rate of today, told as people plan."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Min, Q, QuerySet, Sum
from django.utils import timezone

from recharge.choices import Submission
from recharge.models import Balance, Order

SPENDING = (Submission.SUBMITTING, Submission.ACCEPTED, Submission.UNKNOWN)
CACHED_FOR = 60
"""Seconds: it reads all orders of a day."""
FRESH_FOR = dt.timedelta(minutes=10)
"""How old the balance may be that anything is said about."""
OPENING = dt.time(9)
SATURDAY = 5
ROUNDED_TO = 1000


@dataclass(frozen=True, slots=True)
class Runway:
    """What the balance lasts for: `hours` at today's rate, and the yuan to pay in to reach a working morning."""

    hours: float
    reach: dt.datetime
    pay_in: int


def runway(balance: Balance | None) -> Runway | None:
    """Return how long the balance lasts; None where it isn't known, or where nothing has been spent today.

    Args:
        balance: as the platform told it last.
    """
    if balance is None or balance.amount is None or balance.told_at is None:
        return None
    if timezone.now() - balance.told_at > FRESH_FOR:
        return None
    of_day, of_today = cache.get_or_set("alerts.spent", _spent, CACHED_FOR) or (0.0, 0.0)
    if not of_today:
        return None
    reach = next_opening(timezone.localtime())
    needed = of_day / 24 * (reach - timezone.localtime()).total_seconds() / 3600 - float(balance.amount)
    pay_in = -(-int(max(0, needed)) // ROUNDED_TO) * ROUNDED_TO
    return Runway(max(0.0, float(balance.amount)) / of_today, reach, pay_in)


def next_opening(now: dt.datetime) -> dt.datetime:
    """Return the next working day's nine o'clock after a local moment."""
    opening = now.replace(hour=OPENING.hour, minute=0, second=0, microsecond=0)
    while opening <= now or opening.weekday() >= SATURDAY:
        opening += dt.timedelta(days=1)
    return opening


def _spent() -> tuple[float, float]:
    """Return the yuan spent in the last 24 hours, and the yuan an hour since today's first order."""
    now = timezone.now()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    of_day = _sum(_spending(now - dt.timedelta(days=1)))
    today = _spending(midnight)
    began = today.aggregate(at=Min("placed_at"))["at"]
    hours = max(1.0, (now - began).total_seconds() / 3600) if began else 1.0
    return float(of_day), float(_sum(today)) / hours


def _spending(since: dt.datetime) -> "QuerySet[Order]":
    return Order.objects.filter(Q(submission__in=SPENDING), placed_at__gte=since).order_by()


def _sum(orders: "QuerySet[Order]") -> Decimal:
    return orders.aggregate(money=Sum("face_value"))["money"] or Decimal(0)
