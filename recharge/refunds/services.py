"""What the platform owes: money that was spent on orders that didn't succeed, until it is confirmed back."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Count, DecimalField, F, FloatField, Q, Sum, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recharge.models import OWED, Order, OrderQuerySet

MONEY = DecimalField(max_digits=14, decimal_places=4)
AGES: tuple[tuple[int, str | Promise], ...] = (
    (1, _("less than a day")),
    (3, _("1 to 3 days")),
    (7, _("3 to 7 days")),
    (0, _("more than 7 days")),
)
"""Days below which an order belongs to a group; the last one has no end."""


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """What has been owed for about as long; `owed` is in yuan."""

    label: str | Promise
    orders: int
    owed: Decimal


def owing() -> OrderQuerySet:
    """Return the orders on which money was spent that is not confirmed back, each with `owed` in yuan.

    A refund of which only a callback tells is hearsay: it stays until the platform's own answer confirms it. What is
    owed is what the order cost as far as that is known, else its face value; of one of which a part arrived, the share
    of what didn't.
    """
    cost = Cast(Coalesce("cost_price", Cast("face_value", MONEY)), MONEY)
    part = Q(part_arrived=True, credited_amount__gt=0, credited_amount__lt=F("face_value"))
    # In floats, of which 15 digits are enough for what one order costs: SQLite would divide whole numbers otherwise.
    spent, face, arrived = (Cast(amount, FloatField()) for amount in (cost, F("face_value"), F("credited_amount")))
    share = Cast(spent * (face - arrived) / face, MONEY)
    return Order.objects.filter(OWED).annotate(owed=Case(When(part, then=share), default=cost, output_field=MONEY))


def total_owed() -> Decimal:
    """Return what is owed in all, in yuan."""
    return owing().aggregate(money=Sum("owed"))["money"] or Decimal(0)


def by_age(orders: OrderQuerySet) -> list[AgeGroup]:
    """Add up what is owed, by how long it has been."""
    now, groups, younger = timezone.now(), [], Q()
    for days, label in AGES:
        older_than = Q(status_at__gt=now - dt.timedelta(days=days)) if days else Q()
        found = orders.filter(older_than & younger).aggregate(orders=Count("pk"), money=Sum("owed"))
        groups.append(AgeGroup(label, found["orders"], found["money"] or Decimal(0)))
        younger = Q(status_at__lte=now - dt.timedelta(days=days))
    return groups
