"""A card for tests that need one; its holder is nobody."""

from django.contrib.auth.models import User

from oilcards.choices import CardType, State
from oilcards.models import OilCard, number_index_field


def active_card(owner: User, *, number: str = "1000111100001234567", platform_card_id: str = "77") -> OilCard:
    """Return a card that can be recharged."""
    return OilCard.objects.create(
        card_number=number,
        number_index=number_index_field().index(number),
        card_type=CardType.SINOPEC,
        holder_name="持卡人",
        holder_phone="13800138000",
        national_id="11010519491231002X",
        platform_card_id=platform_card_id,
        state=State.ACTIVE,
        last_four=number[-4:],
        added_by=owner,
        changed_by=owner,
    )
