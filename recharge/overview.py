"""Figures over many orders, for the overview and for Prometheus: few statements, each served by an index."""

import datetime as dt

from django.db.models import Count, Min
from django.utils import timezone

from .choices import Submission
from .models import Order, OrderQuerySet

Counts = list[tuple[str, int | None, int]]


def last_day_counts() -> Counts:
    """Return (submission, status, number of orders) of the orders placed in the last 24 hours."""
    recent = Order.objects.filter(placed_at__gte=timezone.now() - dt.timedelta(days=1))
    return _count(recent)


def open_counts() -> Counts:
    """Return (submission, status, number of orders) of the orders that are not settled."""
    return _count(Order.objects.open())


def attention_count() -> int:
    """Return how many orders need a person."""
    return Order.objects.needing_attention().count()


def queue_age() -> float:
    """Return the age in seconds of the oldest order that waits to be sent, 0 where none does."""
    oldest = Order.objects.filter(submission=Submission.QUEUED).aggregate(at=Min("placed_at"))["at"]
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def _count(orders: OrderQuerySet) -> Counts:
    grouped = orders.order_by().values("submission", "status").annotate(count=Count("pk"))
    return [(row["submission"], row["status"], row["count"]) for row in grouped]
