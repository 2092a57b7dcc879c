"""Writing down what an administrator did to users and groups at once."""

from typing import Any

from django.contrib.auth.models import Group, User

from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal

from . import powers


def user_added(user: User, *, actor: User) -> None:
    """Write down that somebody made a user, with what he may do from the beginning."""
    after = powers.snapshot(user)
    told = {name: after[name] for name in ("groups", "permissions") if after[name]}
    record_of_portal(PortalEventKind.USER_ADDED, actor=actor, about=user, details=told)


def user_changed(user: User, before: dict[str, Any], *, actor: User) -> None:
    """Write down what differs from before, if anything does."""
    if changed := powers.difference(before, powers.snapshot(user)):
        record_of_portal(PortalEventKind.USER_CHANGED, actor=actor, about=user, details=changed)


def password_set(user: User, *, actor: User) -> None:
    """Write down that somebody set another person's password, or took it away."""
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=actor, about=user)


def group_snapshot(group: Group) -> dict[str, Any]:
    """Return what the history keeps of a group."""
    return {"name": group.name, "rights": sorted(powers.rights_of_groups([group]))}


def group_changed(group: Group, before: dict[str, Any] | None, *, actor: User) -> None:
    """Write down what differs from before, if anything does, and what its members lost by it.

    Args:
        group: as it is now.
        before: its snapshot; None where there was no such group.
        actor: who changed it.
    """
    was, now = before or {"name": "", "rights": []}, group_snapshot(group)
    if changed := powers.difference(was, now):
        record_of_portal(PortalEventKind.GROUP_CHANGED, actor=actor, about=group, details=changed)
        _power_taken(powers.members(group), set(was["rights"]) - set(now["rights"]), actor=actor)


def group_deleted(pk: int, before: dict[str, Any], were_in: list[User], *, actor: User) -> None:
    """Write down that somebody deleted a group, and what its members lost.

    Args:
        pk: the key that it had.
        before: its snapshot.
        were_in: its members.
        actor: who deleted it.
    """
    details = {"name": [before["name"], ""]}
    record_of_portal(PortalEventKind.GROUP_CHANGED, actor=actor, about=f"group:{pk}", details=details)
    _power_taken(were_in, set(before["rights"]), actor=actor)


def _power_taken(people: list[User], rights: set[str], *, actor: User) -> None:
    """Write down at each person the power that went with rights of a group, and that no other group gives."""
    lost = powers.give_power(rights)
    for person in people if lost else ():
        has = powers.give_power(powers.rights_of(person))
        if lost - has:
            details = {"rights": [sorted(has | lost), sorted(has)]}
            record_of_portal(PortalEventKind.USER_CHANGED, actor=actor, about=person, details=details)
