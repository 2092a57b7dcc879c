"""How much one phone number may get within some hours or days, whoever places it.

What counts is counted afresh each time, by an index of its number, under the lock that lets placing the same target go
one after the other, or that of all targets for a batch: two at once can't pass a limit together. An order counts from
when it was placed, and again from when it was handed over, unless it is proven that it spent nothing.
"""

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from portal.kit.database import from_now
from recharge.choices import NOT_HANDED_OVER, LimitPeriod
from recharge.models import PROVABLY_UNSPENT, Batch, NumberLimit, Order, OrderQuerySet

from .slow_guard import SlowCounts

KEPT_SECONDS = 10.0
"""How long a process goes by the limits that it has read."""

LENGTHS = {LimitPeriod.DAY: dt.timedelta(hours=24), LimitPeriod.WEEK: dt.timedelta(days=7)}

_kept: tuple[float, list[NumberLimit]] | None = None


def forget() -> None:
    """Read the limits anew when they are asked for next: they have changed."""
    global _kept
    _kept = None


@dataclass(slots=True)
class NumberCounts:
    """What numbers have got towards each limit, slow orders' own among them, and what is about to be placed for them.

    Args:
        besides: a batch whose orders don't count.
        apart_from: orders that don't count either: the attempts that a replacement stands in for.
    """

    besides: Batch | None = None
    apart_from: OrderQuerySet | None = None
    _used: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _slow: SlowCounts = field(init=False)

    def __post_init__(self) -> None:
        self._slow = SlowCounts(self.besides, self.apart_from)

    def look_up(self, orders: Iterable[Order]) -> None:
        """Count what there is for the numbers of some orders; what was looked up before stays as it is."""
        orders = list(orders)
        self._slow.look_up(orders)
        for limit in _limits():
            mobiles = {order.mobile for order in orders if order.mobile}
            unknown = {mobile for mobile in mobiles if (limit.period, mobile) not in self._used}
            if unknown:
                self._used.update(dict.fromkeys(((limit.period, mobile) for mobile in unknown), (0, 0)))
                self._used.update(self._counted(limit, unknown))

    def take(self, order: Order) -> str:
        """Count an order whose number was looked up.

        Returns:
            "", or the limit that it would pass, in words; then it isn't counted.
        """
        if slow := self._slow.problem(order):
            return slow
        limits = _limits() if order.mobile else []
        for limit in limits:
            if problem := _passed(limit, *self._used.get((limit.period, order.mobile), (0, 0)), order.face_value):
                return problem
        for limit in limits:
            orders, money = self._used.get((limit.period, order.mobile), (0, 0))
            self._used[limit.period, order.mobile] = orders + 1, money + order.face_value
        self._slow.count(order)
        return ""

    def _counted(self, limit: NumberLimit, mobiles: set[str]) -> dict[tuple[str, str], tuple[int, int]]:
        since = from_now(-LENGTHS[LimitPeriod(limit.period)])
        lately = Q(placed_at__gte=since) | Q(submitted_at__gte=since) | Q(submission__in=NOT_HANDED_OVER)
        found = Order.objects.filter(lately, mobile__in=mobiles).exclude(PROVABLY_UNSPENT)
        if self.besides:
            found = found.exclude(batch=self.besides, batch__isnull=False)
        if self.apart_from is not None:
            found = found.exclude(pk__in=self.apart_from.order_by().values("pk"))
        rows = found.order_by().values_list("mobile").annotate(orders=Count("pk"), money=Sum("face_value"))
        return {(limit.period, mobile): (orders, money) for mobile, orders, money in rows}


def problem(order: Order, *, apart_from: OrderQuerySet | None = None) -> str:
    """Return the limit that an order would pass, in words; "" where it passes none.

    Args:
        order: not saved yet; in a transaction in which nobody else places one for its number.
        apart_from: as in `NumberCounts`.
    """
    counts = NumberCounts(apart_from=apart_from)
    counts.look_up([order])
    return counts.take(order)


def _passed(limit: NumberLimit, orders: int, money: int, amount: int) -> str:
    period = limit.get_period_display()
    if limit.most_orders is not None and orders + 1 > limit.most_orders:
        return _("One number gets at most %(most)s orders within %(period)s; this one has %(used)s.") % {
            "most": f"{limit.most_orders:,}",
            "period": period,
            "used": f"{orders:,}",
        }
    if limit.most_yuan is not None and money + amount > limit.most_yuan:
        return _(
            "One number gets at most ¥ %(most)s within %(period)s; this one has ¥ %(used)s, ¥ %(amount)s don't fit."
        ) % {"most": f"{limit.most_yuan:,}", "period": period, "used": f"{money:,}", "amount": f"{amount:,}"}
    return ""


def _limits() -> list[NumberLimit]:
    global _kept
    kept = _kept
    if kept is None or kept[0] < time.monotonic():
        kept = _kept = (time.monotonic() + KEPT_SECONDS, list(NumberLimit.objects.filter(active=True)))
    return kept[1]
