from collections.abc import Iterator
from unittest import mock

import pytest
from django.contrib.auth.models import User

from oilcards.models import OilCard
from oilcards.services import adding
from portal import platform as platform_settings
from recharge.services import queue
from tests.fake_card_platform import FakeCardPlatform, details
from tests.fake_platform import FakePlatform


@pytest.fixture
def clerk_user(db: None) -> User:
    return User.objects.create_user("clerk")


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    """A platform in memory instead of the one in the settings."""
    fake = FakePlatform()
    with (
        mock.patch.object(platform_settings, "client", lambda: fake),
        mock.patch.object(platform_settings, "is_configured", lambda: True),
    ):
        yield fake


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that would have gone to the workers.

    By monkeypatch, as tests stand in for the same functions: what is undone by two hands comes back in a wrong order.
    """
    messages: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "send", lambda task, order_id: messages.append((task, order_id)))
    monkeypatch.setattr(queue, "open_lanes", lambda task, lanes: None)
    monkeypatch.setattr(queue, "waiting", lambda task: 0)
    monkeypatch.setattr(queue, "refresh_balance", lambda: None)
    return messages


@pytest.fixture
def card_platform() -> Iterator[FakeCardPlatform]:
    """A card book in memory instead of the platform in the settings."""
    fake = FakeCardPlatform()
    with (
        mock.patch.object(platform_settings, "client", lambda: fake),
        mock.patch.object(platform_settings, "is_configured", lambda: True),
    ):
        yield fake


@pytest.fixture
def card(clerk_user: User, card_platform: FakeCardPlatform) -> OilCard:
    """An active card, in our book and the platform's."""
    card = adding.add_card(details=details(), actor=clerk_user)
    card_platform.calls.clear()
    return card
