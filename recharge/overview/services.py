"""Figures over many orders, for the overview and for Prometheus: few statements, each served by an index."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from recharge.choices import BatchState, MarkKind, PortalEventKind
from recharge.core import wording
from recharge.core.totals import Totals
from recharge.core.wording import Group
from recharge.models import Balance, Batch, Order, OrderQuerySet, PortalEvent
from recharge.status import Status

Counts = list[tuple[str, int | None, int]]

DAYS = 14
CACHED_FOR = 60
"""Seconds; counting the days before today is what costs most, and they hardly change."""

BALANCE_FRESH_FOR = dt.timedelta(minutes=5)


@dataclass(slots=True)
class Day:
    """The orders placed on one day in Shanghai, by what has become of them since."""

    date: dt.date
    placed: Totals = field(default_factory=Totals)
    returned: Totals = field(default_factory=Totals)
    groups: dict[Group, Totals] = field(default_factory=lambda: {group: Totals() for group in Group})

    def add(self, submission: str, status: int | None, *, confirmed: bool, orders: int, money: int) -> None:
        self.placed.add(orders, money)
        self.groups[wording.of(submission, status).group].add(orders, money)
        if status == Status.REFUNDED and confirmed:  # a refund that isn't confirmed is no money returned
            self.returned.add(orders, money)

    def contradict(self, submission: str, status: int | None, *, orders: int, money: int) -> None:
        """Move orders to where those belong of which the platform says two things."""
        self.groups[wording.of(submission, status).group].add(-orders, -money)
        self.groups[wording.CONTRADICTED.group].add(orders, money)


def last_days() -> list[Day]:
    """Return the last 14 days, oldest first; the last one is today and always fresh."""
    today = timezone.localdate()
    start = today - dt.timedelta(days=DAYS - 1)
    key = f"overview.days.{today}"
    past = cache.get(key)
    if past is None:
        past = _days(start, today)
        cache.set(key, past, CACHED_FOR)
    days = [*past, *_days(today, today + dt.timedelta(days=1))]
    _set_contradicted_apart({day.date: day for day in days})
    return days


def balance() -> Balance | None:
    """Return what the platform said last of the prepaid balance, None where it has never been asked."""
    return Balance.objects.first()


def is_fresh(balance: Balance) -> bool:
    """Say whether the balance was told lately; it is refreshed every minute."""
    return balance.told_at is not None and timezone.now() - balance.told_at < BALANCE_FRESH_FOR


def last_backup() -> PortalEvent | None:
    """Return the record of the last backup that `manage.py backup` made, None where none ever was."""
    return PortalEvent.objects.filter(kind=PortalEventKind.BACKED_UP).last()


def last_day_counts() -> Counts:
    """Return (submission, status, number of orders) of the orders placed in the last 24 hours."""
    recent = Order.objects.filter(placed_at__gte=timezone.now() - dt.timedelta(days=1))
    return _count(recent)


def open_counts() -> Counts:
    """Return (submission, status, number of orders) of the orders that are not settled."""
    return _count(Order.objects.open())


def contradicted_counts() -> list[tuple[str, int | None, int, int]]:
    """Return (submission, status, number of open orders, of all) of those of which the platform says two things."""
    found = Order.objects.marked(MarkKind.CONFLICT).order_by().values_list("submission", "status")
    return list(found.annotate(still_open=Count("pk", filter=Q(settled_at=None)), everything=Count("pk")))


def batch_counts() -> list[tuple[str, int]]:
    """Return (state, number of batches) of every state, those too in which no batch is."""
    counts = dict(Batch.objects.order_by().values_list("state").annotate(count=Count("pk")))
    return [(state, counts.get(state, 0)) for state in BatchState.values]


def attention_count() -> int:
    """Return how many orders need a person."""
    return Order.objects.needing_attention().count()


def queue_age() -> float:
    """Return the age in seconds of the oldest single order that waits to be sent, 0 where none does.

    Those of batches wait for their turn, or for a person: their age says nothing.
    """
    oldest = Order.objects.single().filter(next_push_at__isnull=False).aggregate(at=Min("placed_at"))["at"]
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def _days(start: dt.date, end: dt.date) -> list[Day]:
    """Count the days from `start` on and before `end`, in one statement over the index of `placed_at`."""
    days = {date: Day(date) for date in _dates(start, end)}
    rows = (
        Order.objects.filter(placed_at__gte=_midnight(start), placed_at__lt=_midnight(end))
        .order_by()
        .annotate(day=TruncDate("placed_at"), confirmed=Q(confirmed_at__isnull=False))
        .values_list("day", "submission", "status", "confirmed")
        .annotate(orders=Count("pk"), money=Sum("face_value"))
    )
    for date, submission, status, confirmed, orders, money in rows:
        days[date].add(submission, status, confirmed=confirmed, orders=orders, money=money)
    return list(days.values())


def _set_contradicted_apart(days: dict[dt.date, Day]) -> None:
    """Count what is contradicted among the orders of these days once more, by its few marks, and move it."""
    contradicted = Order.objects.filter(placed_at__gte=_midnight(min(days))).marked(MarkKind.CONFLICT).order_by()
    rows = contradicted.annotate(day=TruncDate("placed_at")).values_list("day", "submission", "status")
    for date, submission, status, orders, money in rows.annotate(orders=Count("pk"), money=Sum("face_value")):
        if date in days:
            days[date].contradict(submission, status, orders=orders, money=money)


def _dates(start: dt.date, end: dt.date) -> Iterable[dt.date]:
    return (start + dt.timedelta(days=number) for number in range((end - start).days))


def _midnight(date: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(date, dt.time.min))


def _count(orders: OrderQuerySet) -> Counts:
    grouped = orders.order_by().values("submission", "status").annotate(count=Count("pk"))
    return [(row["submission"], row["status"], row["count"]) for row in grouped]
