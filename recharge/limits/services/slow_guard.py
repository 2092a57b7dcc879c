"""What slow top-ups need, by the settings: a purpose, the customer's reference, no more than so much for one number.

Slow top-ups far below face value are a known way to launder money, and a number that got one may be suspended days
later: whoever places one says what for and for whom, so that it can be told. Off until somebody sets it; for oil cards,
which are always slow, off unless SLOW_GUARD_CARDS is set, too.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from portal.kit.database import from_now
from recharge.choices import NOT_HANDED_OVER, Product, Speed
from recharge.models import PROVABLY_UNSPENT, Batch, Order, OrderQuerySet

PERIOD = dt.timedelta(hours=24)
Target = tuple[str, int | None]
"""A phone number or the key of a card."""


def holds_for(product: str) -> bool:
    """Say whether slow orders of a product are held to the settings at all."""
    return product == Product.MOBILE or settings.SLOW_GUARD_CARDS


def asks(product: str) -> bool:
    """Say whether slow orders of a product need a purpose or a reference."""
    return (settings.SLOW_PURPOSE_REQUIRED or settings.SLOW_REFERENCE_REQUIRED) and holds_for(product)


def missing(order: Order) -> Iterator[tuple[str, str]]:
    """Yield what an order lacks: the column, and a sentence."""
    if not _is_held(order):
        return
    if settings.SLOW_PURPOSE_REQUIRED and not order.purpose:
        yield "purpose", _("A slow order needs a purpose.")
    if settings.SLOW_REFERENCE_REQUIRED and not order.reference:
        yield "reference", _("A slow order needs the customer's reference.")


@dataclass(slots=True)
class SlowCounts:
    """What numbers and cards have got by slow orders lately, and what is about to be placed for them.

    Asked and raised by `NumberCounts`, under the same locks, so that two at once can't pass the limit together.

    Args:
        besides: a batch whose orders don't count.
        apart_from: orders that don't count either: the attempts that a replacement stands in for.
    """

    besides: Batch | None = None
    apart_from: OrderQuerySet | None = None
    _used: dict[Target, int] = field(default_factory=dict)

    def look_up(self, orders: Iterable[Order]) -> None:
        """Count what there is for the targets of some orders; what was looked up before stays as it is."""
        if not settings.SLOW_LIMIT_PER_NUMBER:
            return
        unknown = {_target(order) for order in orders if _is_held(order)} - self._used.keys()
        if not unknown:
            return
        self._used.update(dict.fromkeys(unknown, 0))
        same = Q(mobile__in={mobile for mobile, _card in unknown if mobile})
        same |= Q(oil_card__in={card for _mobile, card in unknown if card})
        since = from_now(-PERIOD)
        lately = Q(placed_at__gte=since) | Q(submitted_at__gte=since) | Q(submission__in=NOT_HANDED_OVER)
        found = Order.objects.filter(same, lately, speed=Speed.SLOW).exclude(PROVABLY_UNSPENT)
        if self.besides:
            found = found.exclude(batch=self.besides, batch__isnull=False)
        if self.apart_from is not None:
            found = found.exclude(pk__in=self.apart_from.order_by().values("pk"))
        for mobile, card, money in found.order_by().values_list("mobile", "oil_card").annotate(money=Sum("face_value")):
            self._used[mobile, card] = money

    def problem(self, order: Order) -> str:
        """Return the limit that an order would pass whose target was looked up, in words; "" where it passes none."""
        if not (settings.SLOW_LIMIT_PER_NUMBER and _is_held(order)):
            return ""
        used = self._used.get(_target(order), 0)
        if used + order.face_value <= settings.SLOW_LIMIT_PER_NUMBER:
            return ""
        return _(
            "One number gets at most ¥ %(most)s by slow orders within 24 hours; this one has ¥ %(used)s, ¥ %(amount)s "
            "don't fit."
        ) % {
            "most": f"{settings.SLOW_LIMIT_PER_NUMBER:,}",
            "used": f"{used:,}",
            "amount": f"{order.face_value:,}",
        }

    def count(self, order: Order) -> None:
        """Count an order that is going to be placed."""
        if _is_held(order):
            self._used[_target(order)] = self._used.get(_target(order), 0) + order.face_value


def _is_held(order: Order) -> bool:
    return order.speed == Speed.SLOW and holds_for(order.product)


def _target(order: Order) -> Target:
    return order.mobile, order.oil_card_id
