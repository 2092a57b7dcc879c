"""What administrators do on the pages of users, groups and changes of rights, and what came of it."""

import datetime as dt

from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import F
from django.test import Client

from portal.kit.append_only import open_to_change
from recharge.models import AccountChange, PortalEvent
from recharge.staff.services import changes
from recharge.staff.services.powers import Raise
from tests.pages import Page, hidden_fields
from tests.people import person

PASSWORD = "a-long-enough-password"
NEW = "an-entirely-different-one"


def group(name: str) -> Group:
    return Group.objects.get(name=name)


def second() -> User:
    user, _ = User.objects.get_or_create(username="second")
    user.groups.set([group("Administrators")])
    return user


def newcomer(*groups: str) -> User:
    user, _ = User.objects.get_or_create(username="wang", defaults={"first_name": "王小明"})
    user.groups.set([group(name) for name in groups])
    return user


def browser(user: User) -> Client:
    """Return the browser of somebody who signed in just now, with the password."""
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.post("/accounts/login/", {"username": user.username, "password": PASSWORD})
    return client


def fields(user: User, *groups: str, **news: object) -> dict[str, object]:
    said: dict[str, object] = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": "",
        "email": "",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "groups": [group(name).pk for name in groups],
        "is_active": "on",
        **news,
    }
    return {name: value for name, value in said.items() if value != ""}


def edit(client: Client, user: User, *groups: str, **news: object) -> Page:
    return client.post(f"/admin/auth/user/{user.pk}/change/", fields(user, *groups, **news), follow=True)


def set_password(client: Client, user: User, **news: str) -> Page:
    said = {"password1": NEW, "password2": NEW, "usable_password": "true", **news}
    return client.post(f"/admin/auth/user/{user.pk}/password/", said, follow=True)


def save_group(client: Client, one: Group, *codenames: str, **news: str) -> Page:
    chosen = Permission.objects.filter(codename__in=codenames).values_list("pk", flat=True)
    said = {"name": one.name, "permissions": list(chosen), **news}
    return client.post(f"/admin/auth/group/{one.pk}/change/", said, follow=True)


def rights(one: Group) -> set[str]:
    return set(one.permissions.values_list("codename", flat=True))


def state(user: User) -> tuple[set[str], bool, bool, bool, set[str]]:
    user = User.objects.get(pk=user.pk)
    rights = {permission.codename for permission in user.user_permissions.all()}
    return {one.name for one in user.groups.all()}, user.is_active, user.is_staff, user.is_superuser, rights


def decide(who: User, change: AccountChange, decision: str = "approve", reason: str = "见过面", **news: str) -> Page:
    client, address = browser(who), f"/accounts/changes/{change.pk}/"
    page = client.get(address)
    return client.post(address, {**hidden_fields(page), "decision": decision, "reason": reason, **news}, follow=True)


def waiting() -> AccountChange:
    return AccountChange.objects.get(outcome="")


def asked(*, to: str = "Approvers", user: User | None = None) -> AccountChange:
    return changes.ask_for_rights(
        user=user or newcomer(), more=Raise(groups=(group(to),)), reason="换班", actor=person("administrator")
    )


def confirm(change: AccountChange, actor: User | None) -> None:
    changes.confirm(change_id=change.pk, was_seen=changes.seen(change), actor=actor)


def days_pass(days: float) -> None:
    """Let the portal's history be so many days older."""
    with open_to_change(connection, PortalEvent):
        PortalEvent.objects.update(at=F("at") - dt.timedelta(days=days))
