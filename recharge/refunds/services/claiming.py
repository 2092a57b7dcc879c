"""Claiming back what the platform owes, and writing down what came of it. No order changes its state by that."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recharge.choices import ClaimOutcome, EventKind
from recharge.core.errors import Outdated, TooLate
from recharge.core.events import NOTE_LIMIT, clean, record
from recharge.core.locking import lock
from recharge.fulfilment.services.privacy import hiding
from recharge.models import OWED, ClaimedOrder, Order, OrderQuerySet, RefundClaim

from .owing import owing, with_open_claims

CENTS = Decimal("0.0001")
EVENT_OF = {
    ClaimOutcome.REFUSED: EventKind.CLAIM_REFUSED,
    ClaimOutcome.WITHDRAWN: EventKind.CLAIM_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the chosen orders can be claimed; those of the first two lists have `owed` and `open_claims`."""

    fit: list[Any]
    claimed: list[Any]
    """They are in an open claim already."""
    not_owed: list[Order]

    @property
    def money(self) -> Decimal:
        """What would be claimed, in yuan."""
        return sum((owed(order) for order in self.fit), Decimal(0))


def choose(numbers: Collection[str], *, again: bool) -> Choice:
    """Sort out which orders can be claimed.

    Args:
        numbers: of the orders.
        again: whether those that are in an open claim already are to be claimed once more.
    """
    orders = list(_owed(numbers).with_people_and_cards())
    others = Order.objects.with_people_and_cards().filter(order_no__in=numbers).exclude(OWED)
    claimed = [] if again else [order for order in orders if cast(Any, order).open_claims]
    return Choice([order for order in orders if order not in claimed], claimed, list(others.order_by("pk")))


def as_seen(order: Order) -> str:
    """Return what a person was shown of an order before claiming it: number, what is owed, newest open claim."""
    claims = cast(Any, order).open_claims
    return f"{order.order_no}:{owed(order)}:{claims[0].pk if claims else 0}"


def owed(order: Order) -> Decimal:
    """Return what is owed for an order of `owing`, in yuan."""
    return Decimal(cast(Any, order).owed).quantize(CENTS)


def claim(*, actor: User, seen: Collection[str], nonce: uuid.UUID) -> RefundClaim:
    """Make a claim of orders, all of them or none, and write it into their histories.

    Args:
        actor: the person.
        seen: of each order what the person was shown, see `as_seen`.
        nonce: of the form; the same form sent twice makes one claim.

    Raises:
        Outdated: one of them was claimed by somebody else meanwhile, came back, or has another amount.
    """
    numbers = {text.partition(":")[0] for text in seen}
    with transaction.atomic(durable=True):
        _lock(numbers)
        if made := RefundClaim.objects.filter(nonce=nonce).first():
            if made.made_by_id != actor.pk:
                raise Outdated
            return made
        orders = list(_owed(numbers))
        if not orders or {as_seen(order) for order in orders} != {*seen}:
            raise Outdated
        return _make(orders, actor, nonce)


def _make(orders: list[Order], actor: User, nonce: uuid.UUID) -> RefundClaim:
    total = sum((owed(order) for order in orders), Decimal(0))
    made = RefundClaim.objects.create(made_by=actor, size=len(orders), total=total, nonce=nonce)
    ClaimedOrder.objects.bulk_create(_row(made, order) for order in orders)
    for order in orders:
        record(order, EventKind.REFUND_CLAIMED, actor=actor, note=_("Refund claim %(number)s") % {"number": made.pk})
    return made


def _row(made: RefundClaim, order: Any) -> ClaimedOrder:
    return ClaimedOrder(claim=made, order=order, owed=owed(order), status=order.status, status_at=order.status_at)


def settle(*, row_id: int, said: ClaimOutcome, actor: User, words: str) -> None:
    """Write down what came of a claimed order, as far as only a person can know it.

    A refund needs nobody: it is confirmed by the platform's own answer.

    Args:
        row_id: the claimed order's primary key.
        said: REFUSED or WITHDRAWN.
        actor: the person.
        words: the vendor's, or why it was withdrawn; at most 300 characters.

    Raises:
        TooLate: something has come of it already.
    """
    order_id = ClaimedOrder.objects.values_list("order_id", flat=True).get(pk=row_id)
    with transaction.atomic(durable=True):
        order = lock(order_id)
        row = ClaimedOrder.objects.get(pk=row_id)
        row.order = order
        if row.outcome != ClaimOutcome.OPEN:
            raise TooLate(_("Something has come of it already."))
        row.said, row.said_by, row.said_at = said, actor, timezone.now()
        row.words = _kept(order, words)
        row.save(update_fields=["said", "said_by", "said_at", "words"])
        note = _("Refund claim %(number)s") % {"number": row.claim_id}
        record(order, EVENT_OF[said], actor=actor, note=f"{note}: {row.words}" if row.words else note)


def _owed(numbers: Iterable[str]) -> OrderQuerySet:
    return with_open_claims(owing().filter(order_no__in=numbers).order_by("pk"))


def _lock(numbers: Iterable[str]) -> None:
    """Keep others from claiming the orders; SQLite's transactions are alone from their beginning."""
    orders = Order.objects.filter(order_no__in=numbers).order_by("pk")
    list(orders.select_for_update(no_key=True).values_list("pk", flat=True))


def _kept(order: Order, words: str) -> str:
    """Return what is kept of somebody's words: of an oil card, nothing that names its holder."""
    hide, words = hiding(order), words.strip()
    return clean(hide(words) if hide else words, NOTE_LIMIT)
