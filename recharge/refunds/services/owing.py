"""What the platform owes: money that was spent on orders that didn't succeed, until it is confirmed back."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Count, DecimalField, Exists, F, FloatField, OuterRef, Prefetch, Q, Sum, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recharge.models import OWED, ClaimedOrder, Order, OrderQuerySet

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
    """What has been owed for about as long; `days` names it as AGES does, `owed` is in yuan."""

    days: int
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


def total_owed(orders: OrderQuerySet | None = None) -> Decimal:
    """Return what is owed in yuan: for some orders of `owing`, or in all."""
    found = owing() if orders is None else orders
    return found.aggregate(money=Sum("owed"))["money"] or Decimal(0)


def of_age(days: int) -> Q:
    """Return what finds the orders of an age group.

    Args:
        days: the group, as AGES names it.
    """
    limits, now = [limit for limit, _label in AGES], timezone.now()
    place = limits.index(days)
    older_than = Q(status_at__gt=now - dt.timedelta(days=days)) if days else Q()
    return older_than & Q(status_at__lte=now - dt.timedelta(days=limits[place - 1])) if place else older_than


def by_age(orders: OrderQuerySet) -> list[AgeGroup]:
    """Add up what is owed, by how long it has been."""
    groups = []
    for days, label in AGES:
        found = orders.filter(of_age(days)).aggregate(orders=Count("pk"), money=Sum("owed"))
        groups.append(AgeGroup(days, label, found["orders"], found["money"] or Decimal(0)))
    return groups


def in_open_claims(orders: OrderQuerySet) -> OrderQuerySet:
    """Return those of the orders of `owing` that are claimed from the vendor, without an answer so far."""
    return orders.filter(_in_open_claim())


def in_no_open_claim(orders: OrderQuerySet) -> OrderQuerySet:
    """Return the others."""
    return orders.exclude(_in_open_claim())


def _in_open_claim() -> Exists:
    return Exists(ClaimedOrder.objects.filter(said="", order=OuterRef("pk")))


def with_open_claims(orders: OrderQuerySet) -> OrderQuerySet:
    """Read along where each of the orders of `owing` is claimed, as the list `open_claims`, the newest first."""
    rows = ClaimedOrder.objects.filter(said="").select_related("claim__made_by").order_by("-id")
    return orders.prefetch_related(Prefetch("claimed", rows, to_attr="open_claims"))
