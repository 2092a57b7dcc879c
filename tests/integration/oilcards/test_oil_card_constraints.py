"""What must never be, the database itself refuses."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from oilcards.choices import CardAction, State
from oilcards.models import OilCard, number_index_field
from oilcards.services import adding
from tests.fake_card_platform import NUMBER, FakeCardPlatform, details


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "ELSEWHERE"}, "state_known|platform_id_where"),
        ({"card_type": 7}, "type_known"),
        ({"number_index": ""}, "has_an_index"),
        ({"platform_card_id": None}, "platform_id_where"),
        ({"platform_card_id": ""}, "platform_id_where"),
        ({"state": State.CHANGE_FAILED, "platform_card_id": None}, "platform_id_where"),
        ({"state": State.ADD_FAILED}, "platform_id_where"),
        ({"state": State.UNKNOWN, "action": CardAction.ADD}, "platform_id_where"),
        ({"state": State.UNKNOWN, "action": CardAction.CHANGE, "platform_card_id": None}, "platform_id_where"),
        ({"state": State.UNKNOWN, "action": CardAction.DELETE, "platform_card_id": None}, "platform_id_where"),
        ({"action": CardAction.CHANGE}, "deed_where"),
        ({"state": State.UNKNOWN}, "deed_where|platform_id_where"),
        ({"state": State.CHANGING, "action": CardAction.DELETE, "lease_until": Now()}, "deed_where"),
        ({"state": State.CHANGING, "action": CardAction.CHANGE}, "lease_iff"),
        ({"lease_until": Now()}, "lease_iff"),
        ({"version": -1}, "version"),
    ],
)
def test_row_that_makes_no_sense_is_refused(card: OilCard, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OilCard.objects.update(**values)
    assert OilCard.objects.get().state == State.ACTIVE


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.books_broken("cards")
def test_number_and_platform_id_are_unique_among_cards_of_the_book(
    card: OilCard, card_platform: FakeCardPlatform, clerk_user: User, deleted: bool
) -> None:
    other = adding.add_card(details=details(card_number=NUMBER[:-1] + "9"), actor=clerk_user)
    if deleted:
        OilCard.objects.filter(pk=card.pk).update(state=State.DELETED)
    for values in ({"number_index": number_index_field().index(NUMBER)}, {"platform_card_id": "P1"}):
        if deleted:
            OilCard.objects.filter(pk=other.pk).update(**values)
        else:
            with pytest.raises(IntegrityError), transaction.atomic():
                OilCard.objects.filter(pk=other.pk).update(**values)


def test_card_with_history_can_not_be_removed(card: OilCard) -> None:
    with pytest.raises(Exception, match="protected"):
        card.delete()
    assert OilCard.objects.get() == card
