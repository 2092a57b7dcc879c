"""The first order under an account: what should come back of it, and what did."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from portal import platform
from portal.kit.database import now
from recharge.choices import EventKind
from recharge.limits.services import accounts
from recharge.limits.services.outages import UNANSWERED
from recharge.models import Order
from recharge.platform.choices import Witness

LOOKED_AT = 200
"""Latest orders among which those of this account are looked for: an account that has more needs no guide."""
SPEAKS = {
    EventKind.ANSWERED: Witness.ANSWER,
    EventKind.CALLBACK: Witness.CALLBACK,
    EventKind.QUERIED: Witness.QUERY,
}


@dataclass(frozen=True, slots=True)
class Testimony:
    """When a witness spoke first, or until when it is waited for, as far as that is known."""

    witness: Witness
    spoke_at: dt.datetime | None
    expected_at: dt.datetime | None
    seconds_left: int


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """The order that shows whether the platform keeps its word; None where none was handed over yet."""

    order: Order | None
    testimonies: list[Testimony]
    is_shown: bool

    @property
    def is_open(self) -> bool:
        """Whether something more is expected of it."""
        return self.is_shown and self.order is not None and self.order.settled_at is None

    @property
    def is_complete(self) -> bool:
        """Whether all three witnesses have spoken."""
        return bool(self.testimonies) and all(one.spoke_at for one in self.testimonies)


def first_order() -> FirstOrder:
    """Return the latest order of this account, and what came back of it, while there are hardly any others.

    Once several orders were handed over and the platform confirmed one, nobody needs a guide any more.
    """
    orders = _handed_over() if platform.is_configured() else []
    if not orders:
        return FirstOrder(None, [], is_shown=True)
    order = orders[0]
    known = len(orders) > 1 and any(one.confirmed_at for one in orders)
    return FirstOrder(order, [] if known else _testimonies(order), is_shown=not known)


def _handed_over() -> list[Order]:
    """Return what was handed over lately under the account of the settings, the latest first."""
    latest = Order.objects.order_by("-id").values_list("pk", flat=True)[:LOOKED_AT]
    ours = Order.objects.filter(accounts.of_current(), pk__in=list(latest), submitted_at__isnull=False)
    return list(ours.order_by("-id").only("order_no", "submitted_at", "next_check_at", "confirmed_at", "settled_at"))


def _testimonies(order: Order) -> list[Testimony]:
    spoke: dict[Witness, dt.datetime] = {}
    heard = order.events.filter(kind__in=SPEAKS).exclude(verdict__in=UNANSWERED)
    for kind, at in heard.order_by("id").values_list("kind", "at"):
        spoke.setdefault(SPEAKS[EventKind(kind)], at)
    answer_by = order.submitted_at + dt.timedelta(seconds=settings.WIKEYUN_TIMEOUT) if order.submitted_at else None
    expected = {Witness.ANSWER: answer_by, Witness.CALLBACK: None, Witness.QUERY: order.next_check_at}
    moment = now()
    return [
        Testimony(witness, spoke.get(witness), expected[witness], _seconds_left(expected[witness], moment))
        for witness in Witness
    ]


def _seconds_left(expected: dt.datetime | None, moment: dt.datetime) -> int:
    return max(0, round((expected - moment).total_seconds())) if expected else 0
