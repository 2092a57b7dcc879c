"""Exchanging the keys of the encrypted columns while cards are in use."""

from io import StringIO
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from oilcards.models import OilCard
from oilcards.services import adding
from oilcards.services.errors import DuplicateCard
from portal.management.commands import rotate_field_keys
from tests.fake_card_platform import NUMBER, FakeCardPlatform, details

OLD, NEW, STRANGE = (Fernet.generate_key().decode() for _ in range(3))
NUMBERS = [NUMBER[:-1] + str(digit) for digit in range(4)]


@pytest.fixture
def cards(clerk_user: User, card_platform: FakeCardPlatform, settings: LazySettings) -> list[OilCard]:
    """Cards that were written with the old key, while the new one comes first."""
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    cards = [adding.add_card(details=details(card_number=number), actor=clerk_user) for number in NUMBERS]
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    return cards


def rotate() -> str:
    output = StringIO()
    call_command("rotate_field_keys", stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("page", [1, 3, 4, 1000])
def test_after_the_rotation_the_old_key_is_not_needed(cards: list[OilCard], settings: LazySettings, page: int) -> None:
    with mock.patch.object(rotate_field_keys, "PAGE", page):
        assert "4 rows" in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    for number, card in zip(NUMBERS, OilCard.objects.order_by("pk"), strict=True):
        assert card.details == details(card_number=number)
        assert OilCard.objects.with_number(number).get() == card
    assert "0 rows" in rotate()


def test_until_the_rotation_cards_are_found_and_stay_unique(cards: list[OilCard], clerk_user: User) -> None:
    assert OilCard.objects.with_number(NUMBERS[1]).get() == cards[1]
    with pytest.raises(DuplicateCard) as caught:
        adding.add_card(details=details(card_number=NUMBERS[1]), actor=clerk_user)
    assert caught.value.card == cards[1]
    assert OilCard.objects.count() == 4


def test_rotation_that_is_interrupted_can_be_run_again(cards: list[OilCard], settings: LazySettings) -> None:
    rotate_one = rotate_field_keys._rotate
    done: list[bool] = []

    def interrupted(*args: Any) -> bool:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(rotate_one(*args))
        return True

    with mock.patch.object(rotate_field_keys, "_rotate", interrupted), pytest.raises(KeyboardInterrupt):
        rotate()
    for number, card in zip(NUMBERS, cards, strict=True):
        assert OilCard.objects.with_number(number).get() == card
    assert "2 rows" in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [card.card_number for card in OilCard.objects.order_by("pk")] == NUMBERS


def test_row_with_a_strange_key_is_named_and_the_others_are_written(
    cards: list[OilCard], settings: LazySettings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [STRANGE]
    OilCard.objects.filter(pk=cards[1].pk).update(national_id=details().national_id)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=f"oilcards.OilCard {cards[1].pk}: ") as caught:
        rotate()
    assert details().national_id not in str(caught.value)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert OilCard.objects.exclude(pk=cards[1].pk).count() == len(list(OilCard.objects.exclude(pk=cards[1].pk)))


def test_only_what_is_encrypted_is_written(cards: list[OilCard]) -> None:
    plain = ["state", "version", "last_four", "changed_at", "platform_card_id", "problem"]
    before = list(OilCard.objects.order_by("pk").values(*plain))
    rotate()
    assert list(OilCard.objects.order_by("pk").values(*plain)) == before
