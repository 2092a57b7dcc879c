"""Two people decide about orders by other ways at the same moment."""

from collections.abc import Callable
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection

from portal import platform
from recharge.models import OtherWays
from recharge.platform.services import other_ways
from tests.races import together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 20


def test_one_of_two_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    monkeypatch.setattr(platform, "is_configured", lambda: True)
    monkeypatch.setattr(platform, "trial_client", mock.Mock())
    asking, *deciding = [User.objects.create_user(f"person {number}") for number in range(5)]

    def decision(wish: OtherWays, actor: User, *, agrees: bool) -> Callable[[], object]:
        return lambda: other_ways.decide(wish_id=wish.pk, agrees=agrees, actor=actor)

    for _ in range(ROUNDS):
        wish = other_ways.ask(forbid=True, reason="only here", actor=asking)
        refused = together(*(decision(wish, one, agrees=bool(number % 2)) for number, one in enumerate(deciding)))
        assert len(refused) == len(deciding) - 1
