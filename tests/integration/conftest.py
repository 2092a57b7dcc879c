from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection

from oilcards.models import OilCard
from oilcards.services import adding
from portal import platform as platform_settings
from recharge.core import queue
from tests import books
from tests.fake_card_platform import FakeCardPlatform, details
from tests.fake_platform import FakePlatform


@pytest.fixture
def clerk_user(db: None) -> User:
    return User.objects.create_user("clerk")


@pytest.fixture
def factors_required(settings: LazySettings) -> None:
    """The rule of a real shop: approvers and administrators do nothing without a second factor."""
    settings.MFA_REQUIRED = "approvers"


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A platform in memory instead of the one in the settings."""
    fake = FakePlatform()
    _use(fake, monkeypatch)
    return fake


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages that would have gone to the workers."""
    messages: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "send", lambda task, order_id: messages.append((task, order_id)))
    monkeypatch.setattr(queue.Messenger, "leave", lambda self, task, order_id: queue.send(task, order_id))
    monkeypatch.setattr(queue, "start_drains", lambda task, drains: None)
    monkeypatch.setattr(queue, "waiting", lambda task: 0)
    monkeypatch.setattr(queue, "refresh_balance", lambda: None)
    monkeypatch.setattr(queue, "probe_platform", lambda: None)
    return messages


@pytest.fixture
def card_platform(monkeypatch: pytest.MonkeyPatch) -> FakeCardPlatform:
    """A card book in memory instead of the platform in the settings."""
    fake = FakeCardPlatform()
    _use(fake, monkeypatch)
    return fake


@pytest.fixture
def card(clerk_user: User, card_platform: FakeCardPlatform) -> OilCard:
    """An active card, in our book and the platform's."""
    card = adding.add_card(details=details(), actor=clerk_user)
    card_platform.calls.clear()
    return card


def _use(fake: FakePlatform | FakeCardPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the `monkeypatch` of the test itself: what is patched twice is put back in the right order only by one."""
    monkeypatch.setattr(platform_settings, "client", lambda: fake)
    monkeypatch.setattr(platform_settings, "trial_client", lambda: fake)
    monkeypatch.setattr(platform_settings, "asking_client", lambda timeout: fake)
    monkeypatch.setattr(platform_settings, "is_configured", lambda: True)


@pytest.fixture(autouse=True)
def _books(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did, its books hold afterwards; see `books_broken` in tests/README.md."""
    kinds = [kind for kind in ("transactional_db", "db") if kind in request.fixturenames]
    for kind in kinds:
        request.getfixturevalue(kind)  # so that the database is still there afterwards
    yield
    if kinds and not connection.needs_rollback:
        marker = request.node.get_closest_marker("books_broken")
        found = books.broken(besides=marker.args if marker else ())
        assert not found, found
