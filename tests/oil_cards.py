"""A card for tests that need one, and orders of either product; the card's holder is nobody."""

from django.contrib.auth.models import User

from oilcards.choices import CardType, State
from oilcards.details import CardDetails
from oilcards.models import OilCard, number_index_field
from oilcards.services import adding
from recharge.choices import Product
from recharge.models import Order
from recharge.orders.services import placing

HOLDER = "持卡人甲乙"
"""No word of any page is the same: where it stands, it is the name."""


def active_card(owner: User, *, number: str = "1000111100001234567", platform_card_id: str = "77") -> OilCard:
    """Return a card that can be recharged."""
    return OilCard.objects.create(
        card_number=number,
        number_index=number_index_field().index(number),
        card_type=CardType.SINOPEC,
        holder_name=HOLDER,
        holder_phone="13800138000",
        national_id="11010519491231002X",
        platform_card_id=platform_card_id,
        state=State.ACTIVE,
        last_four=number[-4:],
        added_by=owner,
        changed_by=owner,
    )


def added_card(owner: User, *, number: str = "1000111100001234567") -> OilCard:
    """Return a card that was added at the platform of the settings."""
    card = adding.add_card(
        details=CardDetails(number, CardType.SINOPEC, HOLDER, "13800138000", "11010519491231002X"), actor=owner
    )
    assert card.state == State.ACTIVE, card.problem
    return card


def place(product: Product, *, placed_by: User, number: int = 0) -> Order:
    """Place the usual order of a product; any `number` of them may be placed.

    An oil order is for the latest card of the book; where the book is empty, it is added first.
    """
    if product == Product.MOBILE:
        return placing.place_mobile_order(placed_by=placed_by, mobile=f"138001380{number:02}", face_value=50)
    card = OilCard.objects.first() or added_card(placed_by)
    return placing.place_oil_order(
        placed_by=placed_by, oil_card=card, face_value=500, duplicate_reason="Once more." if number else ""
    )
