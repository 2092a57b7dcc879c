"""How much is queued a day, by each person and in total, and the limits of that.

An order counts on the day on which it is queued, and no longer once it is certain that it never spent anything. The
sums are rows that are raised by one UPDATE each, which asks for the limit: two at once can't pass it together.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q, Sum
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit import wording
from recharge.core.errors import LimitReached
from recharge.models import DEAD_SUBMISSIONS, BatchMaking, Order, Spending


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit of today, and what counts towards it so far, both in yuan."""

    limit: int
    used: int
    of_all: bool

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def count(*, person: User, amount: int) -> dt.date:
    """Count yuan that are about to be queued, in the caller's transaction.

    Args:
        person: who placed what they are for.
        amount: yuan.

    Returns:
        The day that they count towards.

    Raises:
        LimitReached: a limit of the day would be passed; the caller's transaction must not go on.
    """
    day = timezone.localdate()
    _raise(day, None, amount, settings.DAILY_LIMIT)
    _raise(day, person, amount, settings.DAILY_LIMIT_PER_PERSON)
    return day


def require_left(*, person: User, amount: int) -> None:
    """Make sure that yuan would be counted now; only `count` itself is certain.

    Args:
        person: who placed what they are for.
        amount: yuan.

    Raises:
        LimitReached: they wouldn't.
    """
    for allowance in allowances(person):
        _require_within(allowance, amount, person)


def require_room(*, person: User, amount: int) -> None:
    """Make sure that yuan fit into what may be spent today, besides what batches that are being made will take of it.

    Args:
        person: who places what they are for.
        amount: yuan.

    Raises:
        LimitReached: they don't.
    """
    making = BatchMaking.objects.filter(awaits_approval=False)
    for allowance in allowances(person):
        others = making if allowance.of_all else making.filter(batch__made_by=person)
        expected = others.aggregate(left=Sum(F("batch__total") - F("money")))["left"] or 0
        _require_within(allowance, amount, person, expected)


def uncount(orders: Iterable[Order]) -> None:
    """Count orders no longer, because they spent nothing; in the transaction that makes them dead.

    Args:
        orders: with `counted_on`, `face_value` and `placed_by_id`; those that never counted are left alone.
    """
    for (day, person), amount in _sums(orders):
        # Never below 0: this runs in the transaction that records the platform's answer, and must not make it fail.
        Spending.objects.filter(day=day, person=person).update(amount=Greatest(F("amount") - amount, 0))


def follow(order: Order, *, was: str, counted_on: dt.date | None) -> None:
    """Let the sums follow what became of an order, in the transaction that changes it.

    An order that is dead or taken out of the queue counts no longer. One that was held for dead and lives counts again,
    whatever the limits: its money is being spent. What is queued was counted by `count` before.

    Args:
        order: as it is now.
        was: its submission before.
        counted_on: the day that it counted towards before.
    """
    counted = counted_on is not None and was not in DEAD_SUBMISSIONS
    counts = order.counted_on is not None and order.submission not in DEAD_SUBMISSIONS
    if counted and not counts:
        uncount([Order(counted_on=counted_on, face_value=order.face_value, placed_by_id=order.placed_by_id)])
    elif counts and was in DEAD_SUBMISSIONS:
        for (day, person), amount in _sums([order]):
            Spending.objects.filter(day=day, person=person).update(amount=F("amount") + amount)


def allowances(person: User) -> list[Allowance]:
    """Return the limits of today that hold for a person, the one of all first; none where none is set."""
    limits: dict[int | None, int] = {None: settings.DAILY_LIMIT, person.pk: settings.DAILY_LIMIT_PER_PERSON}
    if not any(limits.values()):
        return []
    today = Spending.objects.filter(Q(person=None) | Q(person=person), day=timezone.localdate())
    used: dict[int | None, int] = dict(today.values_list("person", "amount"))
    return [Allowance(limit, used.get(whose, 0), whose is None) for whose, limit in limits.items() if limit]


def _require_within(allowance: Allowance, amount: int, person: User, expected: int = 0) -> None:
    if amount > allowance.left - expected:
        whose = None if allowance.of_all else person
        raise LimitReached(_explain(allowance.limit, allowance.used + expected, amount, whose))


def _sums(orders: Iterable[Order]) -> list[tuple[tuple[dt.date, int | None], int]]:
    """Add up what was counted, totals first and people in one order, so that no two transactions block each other."""
    sums: dict[tuple[dt.date, int | None], int] = {}
    for order in orders:
        if order.counted_on:
            for person in (None, order.placed_by_id):
                sums[order.counted_on, person] = sums.get((order.counted_on, person), 0) + order.face_value
    return sorted(sums.items(), key=lambda item: (item[0][1] or 0, item[0][0]))


def _raise(day: dt.date, person: User | None, amount: int, limit: int) -> None:
    within = Q(amount__lte=limit - amount) if limit else Q()
    row = Spending.objects.filter(day=day, person=person)
    if row.filter(within).update(amount=F("amount") + amount):
        return
    Spending.objects.bulk_create([Spending(day=day, person=person)], ignore_conflicts=True)
    if not row.filter(within).update(amount=F("amount") + amount):
        raise LimitReached(_explain(limit, row.values_list("amount", flat=True).get(), amount, person))


def _explain(limit: int, used: int, amount: int, person: User | None) -> str:
    figures = {"limit": f"{limit:,}", "used": f"{used:,}", "amount": f"{amount:,}"}
    if person is None:
        return (
            _("Today's overall limit is ¥ %(limit)s: ¥ %(used)s is used, so ¥ %(amount)s more would exceed it.")
            % figures
        )
    return _(
        "%(person)s has a limit of ¥ %(limit)s for today: ¥ %(used)s is used, so ¥ %(amount)s more would exceed it."
    ) % {
        "person": wording.person(person),
        **figures,
    }
