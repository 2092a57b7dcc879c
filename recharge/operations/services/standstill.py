"""Work that is due and that nobody does: what tells that the worker or the scheduler stands still."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard
from portal.kit.database import from_now
from recharge.choices import BatchState, Submission
from recharge.limits.services import accounts
from recharge.limits.services.emergency_stop import current_stop
from recharge.models import Batch, BatchEvent, Order


class Work(TextChoices):
    """Kinds of work that have a moment at which they are due."""

    ORDERS = "orders", _("single orders")
    BATCHES = "batches", _("batches")
    LEASES = "leases", _("orders whose worker ended half-way")
    QUERIES = "queries", _("queries at the platform")
    CARDS = "cards", _("oil cards")


PATIENCE = {
    Work.ORDERS: dt.timedelta(minutes=2),  # the sweep puts the moment off whenever it tells a worker
    Work.BATCHES: dt.timedelta(minutes=5),
    Work.LEASES: dt.timedelta(minutes=2),
    Work.QUERIES: dt.timedelta(minutes=30),  # thousands may be due at once, and a slow platform takes its time
    Work.CARDS: dt.timedelta(minutes=2),
}
"""How long each kind may be overdue before it says something."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Work of a kind has been left undone since a moment, by the database's clock."""

    work: Work
    since: dt.datetime

    @property
    def label(self) -> str:
        return str(self.work.label)


def standstills() -> list[Standstill]:
    """Return which kinds of work are left undone, the longest first; none while all goes as it should.

    What waits for a person, a stop or an account says nothing about workers.
    """
    found = {work: moment for work, moment in _due() if moment is not None}
    return sorted((Standstill(*item) for item in found.items()), key=lambda one: one.since)


def _due() -> Iterator[tuple[Work, dt.datetime | None]]:
    """Yield the moment since which the oldest work of each kind has been overdue, each by one look at an index."""
    if not current_stop() and accounts.is_confirmed():
        yield Work.ORDERS, _oldest(Order.objects.single(), "next_push_at", Work.ORDERS)
        yield Work.BATCHES, _standing_batches()
    yield Work.LEASES, _oldest(Order.objects.all(), "lease_until", Work.LEASES)
    ours = Order.objects.filter(accounts.of_current())
    kinds = (ours.single(), ours.in_batches())  # an index each
    of_each = (_oldest(some, "next_check_at", Work.QUERIES) for some in kinds)
    yield Work.QUERIES, min(filter(None, of_each), default=None)
    yield Work.CARDS, _oldest(OilCard.objects.all(), "lease_until", Work.CARDS)


def _oldest(rows: QuerySet[Any], column: str, work: Work) -> dt.datetime | None:
    due = rows.filter(**{f"{column}__lt": from_now(-PATIENCE[work])})
    oldest: dt.datetime | None = due.order_by(column).values_list(column, flat=True).first()
    return oldest


def _standing_batches() -> dt.datetime | None:
    """Return since when a batch under way has handed over nothing, although something of it is due."""
    ahead = Q(line__lte=OuterRef("canary_until")) | Q(batch__state=BatchState.RUNNING)
    due = Order.objects.filter(ahead, batch=OuterRef("pk"), submission=Submission.QUEUED, next_push_at__lte=Now())
    under_way = Batch.objects.under_way().filter(Exists(due))
    sent = Order.objects.filter(batch=OuterRef("pk"), submitted_at__isnull=False).order_by("-submitted_at")
    told = BatchEvent.objects.filter(batch=OuterRef("pk")).order_by("-pk")
    moved = under_way.annotate(
        moved_at=Greatest(
            Coalesce(Subquery(sent.values("submitted_at")[:1]), F("made_at")),
            Coalesce(Subquery(told.values("at")[:1]), F("made_at")),
        )
    )
    standing = moved.filter(moved_at__lt=from_now(-PATIENCE[Work.BATCHES]))
    return standing.order_by("moved_at").values_list("moved_at", flat=True).first()
