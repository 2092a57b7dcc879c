"""What needs a person: how many cases of each kind, how much money is in them, and how old the oldest is."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Sum

from recharge.choices import MarkKind
from recharge.models import Mark


@dataclass(frozen=True, slots=True)
class KindTotals:
    """The open cases of one kind; `money` is their face values in yuan."""

    kind: MarkKind
    orders: int
    money: int
    oldest: dt.datetime


def kinds() -> list[KindTotals]:
    """Return the kinds of which there are open cases, most frequent first."""
    rows = Mark.objects.open().order_by().values("kind")
    rows = rows.annotate(orders=Count("pk"), money=Sum("order__face_value"), oldest=Min("since"))
    found = [KindTotals(MarkKind(row["kind"]), row["orders"], row["money"], row["oldest"]) for row in rows]
    return sorted(found, key=lambda row: -row.orders)
