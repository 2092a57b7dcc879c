"""How far batches have got: sums over their orders, so that they can never disagree with them."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Count, Exists, Min, OuterRef, Q, Sum
from django.utils import timezone

from portal.kit.database import from_now
from recharge.choices import NOT_YET_SENT, MarkKind, Submission
from recharge.core import wording
from recharge.core.totals import Totals
from recharge.models import Batch, BatchEvent, Mark, Order
from recharge.status import Status

LATELY = dt.timedelta(minutes=1)

_CONTRADICTED = Q(open_marks__gt=0) & Q(
    Exists(Mark.objects.open().filter(order=OuterRef("pk"), kind=MarkKind.CONFLICT))
)
"""What the platform says two things of counts as unknown, whatever its states say, as in lists and headlines."""


class Part(StrEnum):
    """What the orders of a batch are told apart by: the groups of outcomes, and what has not left us yet."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_SPENT = "not_spent"
    UNKNOWN = "unknown"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"


@dataclass(slots=True)
class Progress:
    """What became of a batch's orders. The parts add up to `all`; `settled` are those that nothing can change."""

    parts: dict[Part, Totals] = field(default_factory=lambda: {part: Totals() for part in Part})
    all: Totals = field(default_factory=Totals)
    settled: Totals = field(default_factory=Totals)

    @property
    def percent(self) -> int:
        """How much is settled, 100 only where all is."""
        return self.settled.orders * 100 // self.all.orders if self.all.orders else 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many orders were handed over in the last minute, and how many seconds the rest takes at that pace."""

    lately: int
    seconds_left: int | None


def part_of(submission: str, status: int | None) -> Part:
    """Say where an order with these two states belongs."""
    if status is None and submission in NOT_YET_SENT:
        return Part.WAITING
    return Part(wording.of(submission, status).group)


def in_part(part: Part) -> Q:
    """Return what finds the orders of a part; what is contradicted is in that of the unknown ones."""
    codes = [code for code in Status.values if part_of(Submission.ACCEPTED, code) == part]
    submissions = [submission for submission in Submission.values if part_of(submission, None) == part]
    by_state = Q(status__in=codes) | Q(status=None, submission__in=submissions)
    return by_state | _CONTRADICTED if part == Part.UNKNOWN else by_state & ~_CONTRADICTED


def of_batch(batch: Batch) -> Progress:
    """Count a batch's orders and their face values; what is contradicted once more, by its few marks, and move it."""
    progress = Progress()
    rows = (
        Order.objects.filter(batch=batch)
        .order_by()
        .annotate(settled=Q(settled_at__isnull=False))
        .values_list("submission", "status", "settled")
        .annotate(orders=Count("pk"), money=Sum("face_value"))
    )
    for submission, status, settled, orders, money in rows:
        progress.all.add(orders, money)
        progress.parts[part_of(submission, status)].add(orders, money)
        if settled:
            progress.settled.add(orders, money)
    contradicted = Order.objects.filter(batch=batch).marked(MarkKind.CONFLICT).order_by()
    marked = contradicted.values_list("submission", "status").annotate(orders=Count("pk"), money=Sum("face_value"))
    for submission, status, orders, money in marked:
        progress.parts[part_of(submission, status)].add(-orders, -money)
        progress.parts[Part(wording.CONTRADICTED.group)].add(orders, money)
    return progress


def speed_of(batch: Batch, waiting: int, events: Sequence[BatchEvent]) -> Pace | None:
    """Return how fast a batch is being handed over.

    Args:
        batch: the batch.
        waiting: how many of its orders have not left us.
        events: its history.

    Returns:
        The pace; None where nothing was handed over, and could not have been for a minute yet.
    """
    lately = Order.objects.filter(batch=batch, submitted_at__gte=from_now(-LATELY))
    counted = lately.aggregate(orders=Count("pk"), since=Min("submitted_at"))
    if not counted["orders"]:
        return None if _moved_lately(batch, events) else Pace(0, None)
    taken = max((timezone.now() - counted["since"]).total_seconds(), 1.0)
    return Pace(counted["orders"], math.ceil(waiting * taken / counted["orders"]))


def _moved_lately(batch: Batch, events: Sequence[BatchEvent]) -> bool:
    """Say whether something let a batch go out, or go on, within the last minute."""
    moments = [event.at for event in events[-1:]] + ([batch.opens_at] if batch.opens_at else [])
    return any(moment > timezone.now() - LATELY for moment in moments)


def open_in(batches: Iterable[Batch]) -> dict[int, int]:
    """Return how many orders of each of some batches are not settled; those without any are left out."""
    rows = Order.objects.open().filter(batch__in=[batch.pk for batch in batches]).order_by()
    return dict(rows.values_list("batch").annotate(orders=Count("pk")))
