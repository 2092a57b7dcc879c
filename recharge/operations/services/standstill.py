"""Overdue work, which shows that the worker or the scheduler is down."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard
from portal.kit.database import from_now, now
from recharge.choices import BatchState, Submission
from recharge.limits.services import accounts, outages
from recharge.limits.services.emergency_stop import current_stop
from recharge.limits.services.slow_hold import NOT_HELD
from recharge.models import Batch, BatchEvent, BatchMaking, ListReading, Order


class Work(TextChoices):
    """Kinds of work that have a moment at which they are due."""

    ORDERS = "orders", _("single orders")
    BATCHES = "batches", _("batches")
    LISTS = "lists", _("lists that are checked or made into batches")
    LEASES = "leases", _("orders whose worker ended half-way")
    QUERIES = "queries", _("queries at the platform")
    CARDS = "cards", _("oil cards")


PATIENCE = {
    Work.ORDERS: dt.timedelta(minutes=2),  # the sweep puts the moment off whenever it tells a worker
    Work.BATCHES: dt.timedelta(minutes=5),
    Work.LISTS: dt.timedelta(minutes=2),
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
    """Return which kinds of work are overdue, the longest first; none while everything is running.

    What waits for a person, a stop, a hold, an account or a platform that can't be reached says nothing about workers.
    """
    found = {work: moment for work, moment in _due() if moment is not None}
    return sorted((Standstill(*item) for item in found.items()), key=lambda one: one.since)


def _due() -> Iterator[tuple[Work, dt.datetime | None]]:
    """Yield the moment since which the oldest work of each kind has been overdue, each by one look at an index."""
    if not current_stop() and accounts.is_confirmed():
        yield from _waiting()
    yield Work.LISTS, min(filter(None, (_idle_making(), _idle_reading())), default=None)
    yield Work.LEASES, _oldest(Order.objects.all(), "lease_until", Work.LEASES)
    ours = Order.objects.filter(accounts.of_current())
    kinds = (ours.single(), ours.in_batches())  # an index each
    of_each = (_oldest(some, "next_check_at", Work.QUERIES) for some in kinds)
    yield Work.QUERIES, min(filter(None, of_each), default=None)
    yield Work.CARDS, _oldest(OilCard.objects.all(), "lease_until", Work.CARDS)


def _waiting() -> Iterator[tuple[Work, dt.datetime | None]]:
    """Yield what is to be sent. In an outage it waits, and some time after it nobody has had the time for it yet."""
    orders, batches = _oldest(Order.objects.single().filter(NOT_HELD), "next_push_at", Work.ORDERS), _standing_batches()
    if (orders or batches) and not outages.was_on_within(PATIENCE[Work.BATCHES]):
        yield Work.ORDERS, orders
        yield Work.BATCHES, batches


def _oldest(rows: QuerySet[Any], column: str, work: Work) -> dt.datetime | None:
    due = rows.filter(**{f"{column}__lt": from_now(-PATIENCE[work])})
    oldest: dt.datetime | None = due.order_by(column).values_list(column, flat=True).first()
    return oldest


def _standing_batches() -> dt.datetime | None:
    """Return since when a batch under way has handed over nothing, although something of it is due."""
    ahead = Q(line__lte=OuterRef("canary_until")) | Q(batch__state=BatchState.RUNNING)
    due = Order.objects.filter(
        ahead, NOT_HELD, batch=OuterRef("pk"), submission=Submission.QUEUED, next_push_at__lte=Now()
    )
    under_way = Batch.objects.under_way().open_now().filter(Exists(due))
    sent = Order.objects.filter(batch=OuterRef("pk"), submitted_at__isnull=False).order_by("-submitted_at")
    told = BatchEvent.objects.filter(batch=OuterRef("pk")).order_by("-pk")
    moved = under_way.annotate(
        moved_at=Greatest(
            Coalesce(Subquery(sent.values("submitted_at")[:1]), F("made_at")),
            Coalesce(Subquery(told.values("at")[:1]), F("made_at")),
            Coalesce(F("opens_at"), F("made_at")),
        )
    )
    standing = moved.filter(moved_at__lt=from_now(-PATIENCE[Work.BATCHES]))
    return standing.order_by("moved_at").values_list("moved_at", flat=True).first()


def _idle_making() -> dt.datetime | None:
    """Return since when nobody is at the batch that is to be made first; the others wait for it."""
    making = BatchMaking.objects.order_by("pk").annotate(since=Coalesce("lease_until", "batch__made_at"))
    return _long_ago(making.values_list("since", flat=True).first())


def _idle_reading() -> dt.datetime | None:
    """Return the same of the list that is to be checked first."""
    unfinished = ListReading.objects.filter(judged_at=None).order_by("asked_at", "pk")
    since = unfinished.annotate(since=Coalesce("lease_until", "asked_at")).values_list("since", flat=True)
    return _long_ago(since.first())


def _long_ago(since: dt.datetime | None) -> dt.datetime | None:
    return since if since and since < now() - PATIENCE[Work.LISTS] else None
