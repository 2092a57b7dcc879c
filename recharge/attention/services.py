"""What needs a person: how many cases of each kind, how much money is in them, and how old they are."""

import datetime as dt
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard
from portal.kit.database import from_now
from recharge.choices import BatchState
from recharge.models import OWED, Batch, CheckRun, Mark, Order, OrderQuerySet, Reading, calm

from .wording import KINDS, REFUND_OWED, UNKNOWN

AGES = (1, 3, 7)
"""Days; a case is counted with the largest of them that it is older than."""


@dataclass(frozen=True, slots=True)
class KindTotals:
    """The open cases of one kind; `money` is their face values in yuan."""

    kind: str
    orders: int
    money: int
    oldest: dt.datetime
    calm: int
    """How many of them most likely settle by themselves."""
    older: list[tuple[int, int | None, int]]
    """How many are older than so many days and, but for the oldest, not than so many others; where any is."""

    @property
    def label(self) -> str | Promise:
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that needs a person and isn't an order: how much of it, and the page that shows it."""

    name: str
    label: str | Promise
    count: int
    address: str


def since(kind: str, moment: Any) -> Q:
    """Return what finds the cases of a kind that began at a moment or before it."""
    if kind == UNKNOWN:
        return Q(submission=UNKNOWN, submitted_at__lte=moment)
    if kind == REFUND_OWED:
        return OWED & Q(status_at__lte=moment)
    return Q(Exists(Mark.objects.open().filter(order=OuterRef("pk"), kind=kind, since__lte=moment)))


def older_than(days: int) -> Q:
    """Return what finds the cases of any kind that are older than so many days."""
    moment = from_now(-dt.timedelta(days=days))
    marked = Q(Exists(Mark.objects.open().filter(order=OuterRef("pk"), since__lte=moment)))
    return marked | since(UNKNOWN, moment) | since(REFUND_OWED, moment)


def kinds() -> list[KindTotals]:
    """Return the kinds of which there are open cases, most frequent first."""
    marks = Mark.objects.open().order_by().values("kind")
    found = [_totals(row["kind"], dict(row)) for row in marks.annotate(**_figures("since", "order__face_value"))]
    unknown, owed = Order.objects.filter(submission=UNKNOWN), Order.objects.filter(OWED)
    for kind, cases, began in ((UNKNOWN, unknown, "submitted_at"), (REFUND_OWED, owed, "status_at")):
        row = cases.order_by().aggregate(**_figures(began, "face_value"), calm=Count("pk", filter=calm()))
        if row["orders"]:
            found.append(_totals(kind, row, calm=row["calm"]))
    return sorted(found, key=lambda row: -row.orders)


def elsewhere(user: User) -> list[Elsewhere]:
    """Return what else needs a person, of what this one may see."""
    rows = [
        (
            "recharge.view_batch",
            Elsewhere("BATCH_PAUSED", _("Batches paused"), 0, f"{reverse('batch_list')}?state={BatchState.PAUSED}"),
            Batch.objects.filter(state=BatchState.PAUSED),
        ),
        (
            "recharge.approve_order",
            Elsewhere("APPROVAL_WAITING", _("Awaiting approval"), 0, reverse("approval_list")),
            Order.objects.awaiting_approval(),
        ),
        (
            "recharge.approve_order",
            Elsewhere("BATCH_APPROVAL_WAITING", _("Batches awaiting approval"), 0, reverse("approval_list")),
            Batch.objects.awaiting_approval(),
        ),
        (
            "recharge.teach_reading",
            Elsewhere("READING_WAITING", _("Meanings that await a second administrator"), 0, reverse("reading_list")),
            Reading.objects.waiting(),
        ),
        (
            "oilcards.view_oilcard",
            Elsewhere("CARD", _("Oil cards out of step"), 0, f"{reverse('card_list')}?state=attention"),
            OilCard.objects.needing_attention(),
        ),
        (
            "recharge.view_checkrun",
            Elsewhere("CHECK_BROKEN", _("Checks of the books broken"), 0, reverse("check_list")),
            CheckRun.objects.filter(broken__gt=0),
        ),
    ]
    seen = [(entry, _count(found)) for permission, entry, found in rows if user.has_perm(permission)]
    return [Elsewhere(entry.name, entry.label, count, entry.address) for entry, count in seen if count]


def cases_of(user: User) -> OrderQuerySet:
    """Return the cases that a person looks after, those too that were put off."""
    return Order.objects.cases().filter(case__assignee=user)


def _count(found: QuerySet[Any]) -> int:
    return found.order_by().count()


def _figures(began: str, money: str) -> dict[str, Any]:
    figures: dict[str, Any] = {"orders": Count("pk"), "money": Sum(money), "oldest": Min(began)}
    for days in AGES:
        old = Q(**{f"{began}__lte": from_now(-dt.timedelta(days=days))})
        figures[f"older_{days}"] = Count("pk", filter=old)
    return figures


def _totals(kind: str, row: dict[str, Any], calm: int = 0) -> KindTotals:
    older = [
        (days, until, row[f"older_{days}"] - (row[f"older_{until}"] if until else 0))
        for days, until in zip_longest(AGES, AGES[1:])
    ]
    some = [group for group in older if group[-1]]
    return KindTotals(str(kind), row["orders"], row["money"], row["oldest"], calm, some)
