"""Two administrators decide about the same change at the same moment, or one confirms what another undoes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction

from recharge.choices import AccountChangeOutcome, PortalEventKind
from recharge.core.errors import TooLate
from recharge.models import AccountChange, PortalEvent
from recharge.staff.services import changes
from recharge.staff.services.powers import Raise
from tests.races import BothLook, together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _postgresql() -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"


def manager(name: str) -> User:
    group, _ = Group.objects.get_or_create(name="Managers")
    group.permissions.set(Permission.objects.filter(codename__in=["change_user", "change_group"]))
    user, _ = User.objects.get_or_create(username=name)
    user.groups.set([group])
    return user


@pytest.fixture
def change() -> AccountChange:
    asker, newcomer = manager("first"), User.objects.create_user("newcomer")
    more = Raise(groups=(Group.objects.get(name="Managers"),))
    return changes.ask_for_rights(user=newcomer, more=more, reason="x", actor=asker)


def decide(change: AccountChange) -> list[Exception]:
    """Let one confirm and another one refuse it, each after both have looked."""
    second, third, seen = manager("second"), manager("third"), changes.seen(change)
    actions: list[Callable[[], object]] = [
        lambda: changes.confirm(change_id=change.pk, was_seen=seen, actor=second),
        lambda: changes.refuse(change_id=change.pk, actor=third, words="no"),
    ]
    return together(*actions)


def decisions() -> int:
    kinds = (PortalEventKind.CHANGE_CONFIRMED, PortalEventKind.CHANGE_REFUSED)
    return PortalEvent.objects.filter(kind__in=kinds).count()


def test_of_two_who_decide_at_the_same_moment_one_does(change: AccountChange) -> None:
    refused = decide(change)
    assert [type(error) for error in refused] == [TooLate]
    assert decisions() == 1
    change.refresh_from_db()
    is_one = User.objects.get(username="newcomer").groups.exists()
    assert is_one == (change.outcome == AccountChangeOutcome.CONFIRMED)


def test_without_comparing_and_swapping_both_would(change: AccountChange, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(change_id: int) -> AccountChange:
        return AccountChange.objects.waiting().get(pk=change_id)

    looked = BothLook().at(look)

    def close(change_id: int, outcome: AccountChangeOutcome, actor: User, words: str) -> Any:
        found = looked(change_id)
        AccountChange.objects.filter(pk=change_id).update(outcome=outcome, decided_by=actor, decided_at=found.asked_at)
        return found

    monkeypatch.setattr(changes, "_close", close)
    assert decide(change) == []
    assert decisions() == 2, "the race is real"


def test_who_was_deactivated_first_gets_nothing(change: AccountChange) -> None:
    """Whoever deactivates holds the row of the user; the confirmation waits for it and looks afterwards."""
    second, seen = manager("second"), changes.seen(change)

    def deactivate() -> None:
        with transaction.atomic():
            user = User.objects.select_for_update().get(username="newcomer")
            user.is_active = False
            user.save()

    together(deactivate, lambda: changes.confirm(change_id=change.pk, was_seen=seen, actor=second))
    user = User.objects.get(username="newcomer")
    confirmed = AccountChange.objects.get().outcome == AccountChangeOutcome.CONFIRMED
    assert not user.is_active
    assert user.groups.exists() == confirmed
