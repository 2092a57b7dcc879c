"""Whoever owns the server makes administrators and sets passwords there: auditors find it like anything else."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import Model
from django.utils import timezone

from recharge.choices import PortalEventKind
from recharge.limits.services.approval import SECOND_SELF_FOR, may_sign_in_as
from recharge.models import PortalEvent
from tests.integration.audit.test_audit_trail import browser
from tests.known import known
from tests.people import person

pytestmark = [pytest.mark.django_db]
PASSWORD = "a-long-enough-password"
K = PortalEventKind


@pytest.fixture(autouse=True)
def _typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: PASSWORD)


def makes_superuser(**options: Any) -> None:
    said = {"username": "root", "email": "", "interactive": False, **options}
    call_command("createsuperuser", stdout=StringIO(), stderr=StringIO(), **said)


def sets_password(name: str) -> None:
    call_command("changepassword", name, stdout=StringIO(), stderr=StringIO())


def test_a_superuser_from_the_command_line_stands_in_the_audit_trail() -> None:
    makes_superuser()
    user = User.objects.get()
    event = PortalEvent.objects.get()
    assert user.check_password(PASSWORD)
    assert (event.kind, event.actor, event.about) == (K.USER_ADDED, None, f"user:{user.pk}")
    page = browser("auditor").get("/audit/", {"kind": K.USER_ADDED}).content.decode()
    assert "拥有全部权限" in page
    assert "命令行" in page
    assert PASSWORD not in page


def test_a_password_from_the_command_line_stands_in_the_audit_trail() -> None:
    user = person("clerk")
    sets_password("clerk")
    user.refresh_from_db()
    event = PortalEvent.objects.get()
    assert user.check_password(PASSWORD)
    assert (event.kind, event.actor, event.about) == (K.PASSWORD_SET, None, f"user:{user.pk}")
    page = browser("auditor").get("/audit/", {"kind": K.PASSWORD_SET}).content.decode()
    assert "命令行" in page
    assert PASSWORD not in page


def test_who_set_the_password_long_ago_does_not_know_the_one_from_the_command_line() -> None:
    user, administrator = person("clerk"), person("administrator")
    long_ago = timezone.now() - 2 * SECOND_SELF_FOR
    PortalEvent.objects.create(kind=K.PASSWORD_SET, actor=administrator, about=f"user:{user.pk}", at=long_ago)
    assert may_sign_in_as([user]) == {user.pk: [administrator]}
    sets_password("clerk")
    assert may_sign_in_as([user]) == {user.pk: []}


@pytest.mark.parametrize("run", [makes_superuser, lambda: sets_password("clerk")])
def test_without_its_entry_nothing_is_done(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = person("clerk").password

    def fails(*_: Any, **__: Any) -> Model:
        raise DatabaseError

    monkeypatch.setattr("recharge.core.events.record_of_portal", fails)
    with pytest.raises(DatabaseError):
        run()
    assert User.objects.get().password == before


@pytest.mark.parametrize("command", ["createsuperuser", "changepassword"])
def test_nothing_is_locked_while_somebody_types(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person("clerk")
    before = len(connection.savepoint_ids)
    asked: list[int] = []

    def typed(*_: Any, **__: Any) -> str:
        asked.append(len(connection.savepoint_ids))
        return PASSWORD

    monkeypatch.setattr("getpass.getpass", typed)
    if command == "changepassword":
        sets_password("clerk")
    else:
        monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")
        makes_superuser(interactive=True, stdin=_Terminal())
    assert asked == [before, before]
    assert PortalEvent.objects.count() == 1


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_factors_that_are_taken_away_there_are_told_as_such() -> None:
    person("clerk")
    call_command("reset_factors", "clerk", stdout=StringIO())
    assert known(PortalEvent.objects.get().details) == {"by": "command line"}
    assert "命令行" in browser("auditor").get("/audit/", {"kind": K.FACTORS}).content.decode()


def test_a_user_who_is_saved_otherwise_afterwards_is_not_told_of() -> None:
    makes_superuser()
    User.objects.create_user("another")
    assert PortalEvent.objects.count() == 1


def test_a_name_that_nobody_has_leaves_no_entry() -> None:
    with pytest.raises(Exception, match="does not exist"):
        sets_password("nobody")
    assert not PortalEvent.objects.exists()
