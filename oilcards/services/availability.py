"""The little that the card book knows of orders: whether there are any, and whether a card may get one."""

from collections.abc import Collection
from typing import Any

from oilcards.choices import State
from oilcards.models import OilCard

from . import sync
from .errors import HasOrders, NotRechargeable

IDENTITY = ("card_number", "card_type")
"""What says where the money of an order went."""


def has_open_orders(card: OilCard) -> bool:
    """Say whether something more is expected of an order of this card.

    Orders point at cards and not the other way round: `orders` is the relation's name on this side.
    """
    orders: Any = getattr(card, "orders", None)
    return orders is not None and orders.filter(settled_at=None).exists()


def refuse_another_identity(card: OilCard, changed_fields: Collection[str]) -> None:
    """Let a card keep its number and type from its first order on: an order shows those of its card.

    Args:
        card: locked by the caller's transaction, so that it gets no order meanwhile.
        changed_fields: names of the fields that would change.

    Raises:
        HasOrders: number or type are among them, and the card has orders, be they over or not.
    """
    orders: Any = getattr(card, "orders", None)
    if any(name in IDENTITY for name in changed_fields) and orders is not None and orders.exists():
        raise HasOrders


def can_recharge(card: OilCard) -> bool:
    """Say whether orders may be placed for the card."""
    return card.state == State.ACTIVE


def may_be_recharged(*, card_id: int) -> bool:
    """Say the same by the card's primary key, reading none of its secrets."""
    return OilCard.objects.rechargeable().filter(pk=card_id).exists()


def lock_all_for_recharge(card_ids: Collection[int]) -> set[int]:
    """Do the same as `lock_for_recharge` for many cards; return the primary keys of those that are active."""
    cards = OilCard.objects.rechargeable().filter(pk__in=card_ids).order_by("pk")
    return set(cards.select_for_update(of=("self",)).values_list("pk", flat=True))


def lock_for_recharge(*, card_id: int) -> OilCard:
    """Read a card for an order that is placed in the same transaction, so that it isn't deleted meanwhile.

    Args:
        card_id: the card's primary key.

    Returns:
        The card, locked until the transaction ends.

    Raises:
        NotRechargeable: the card isn't active.
    """
    card = sync.lock(card_id)
    if not can_recharge(card):
        raise NotRechargeable(card)
    return card
