"""What makes somebody an approver or an administrator: rights that one person alone can't give."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group, Permission, User

from portal.kit.database import from_now
from recharge.choices import AccountChangeKind, PortalEventKind
from recharge.core.events import subject
from recharge.models import AccountChange, PortalEvent
from recharge.models.portal_wide.account_changes import WAITS_FOR

ORDINARY = frozenset(
    {
        "oilcards.add_oilcard",
        "oilcards.change_oilcard",
        "recharge.add_batch",
        "recharge.add_order",
        "recharge.add_refundclaim",
        "recharge.change_alert",
        "recharge.change_batch",
        "recharge.change_order",
        "recharge.change_refundclaim",
        "recharge.export_order",
        "recharge.see_numbers",
        "recharge.share_savedview",
    }
)
"""Rights of everyday work. Every other one but looking gives power, those that are made later included."""

FLAGS = ("is_active", "is_staff", "is_superuser")


@dataclass(frozen=True, slots=True)
class Raise:
    """The rights that a user would gain; empty if none."""

    groups: tuple[Group, ...] = ()
    permissions: tuple[Permission, ...] = ()
    flags: tuple[str, ...] = ()
    """Of FLAGS, those that are to be set."""

    def __bool__(self) -> bool:
        return bool(self.groups or self.permissions or self.flags)


@dataclass(slots=True)
class Wish:
    """What somebody typed about a user: how groups, single rights and flags are to be."""

    groups: list[Group]
    permissions: list[Permission]
    flags: dict[str, bool] = field(default_factory=dict)


def name_of(permission: Permission) -> str:
    """Return a right as the code asks for it: recharge.approve_order."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def give_power(rights: Iterable[str]) -> set[str]:
    """Return those of some rights that give power."""
    return {right for right in rights if right not in ORDINARY and not right.partition(".")[2].startswith("view_")}


def rights_of_groups(groups: Collection[Group]) -> set[str]:
    """Return the rights that groups give."""
    found = Permission.objects.filter(group__in=[group.pk for group in groups]).select_related("content_type")
    return {name_of(permission) for permission in found}


def members(group: Group) -> list[User]:
    """Return who is in a group, by their keys."""
    return list(User.objects.filter(groups=group).order_by("pk"))


def rights_of(user: User) -> set[str]:
    """Return the rights that a user has by groups and by name, whether he may sign in or not."""
    own = Permission.objects.filter(user=user).select_related("content_type")
    return rights_of_groups(list(user.groups.all())) | {name_of(permission) for permission in own}


def is_powerful(user: User) -> bool:
    """Say whether a user is an approver or administrator by what he may do, or would be if he could sign in."""
    return user.is_superuser or bool(give_power(rights_of(user)))


def is_guarded(user: User) -> bool:
    """Say whether one person alone may not set a user's password or take second factors away.

    That is who has power, who is about to get some, and who lost some within WAITS_FOR: else one would take power away
    for the time in which one makes the person one's second self.
    """
    about = AccountChange.objects.waiting().filter(kind=AccountChangeKind.RIGHTS, user=user)
    soon = give_power(rights_to_come(list(user.groups.all())))
    return is_powerful(user) or bool(soon) or about.exists() or _has_lost_power(user)


def rights_to_come(groups: Collection[Group]) -> set[str]:
    """Return the rights of groups that wait for a second administrator."""
    waiting = AccountChange.objects.waiting().filter(kind=AccountChangeKind.GROUP, group__in=[one.pk for one in groups])
    return {right for change in waiting for right in rights_for_group(change)}


def rights_for_group(change: AccountChange) -> set[str]:
    """Return the rights that a change adds to a group."""
    found = Permission.objects.filter(pk__in=change.wanted.get("permissions", ())).select_related("content_type")
    return {name_of(permission) for permission in found}


def gives_power(change: AccountChange) -> bool:
    """Say whether a change gives power to the members of a group."""
    return bool(give_power(rights_for_group(change)))


def _has_lost_power(user: User) -> bool:
    changed = PortalEvent.objects.filter(about=subject(user), kind=PortalEventKind.USER_CHANGED)
    return any(_takes_power(event.details or {}) for event in changed.filter(at__gt=from_now(-WAITS_FOR)))


def _takes_power(changed: dict[str, Any]) -> bool:
    before, after = changed.get("rights", ((), ()))
    return changed.get("is_superuser") == [True, False] or bool(give_power(set(before) - set(after)))


def part(user: User | None, wish: Wish) -> Raise:
    """Return what of a wish a second administrator has to confirm, and take it out of the wish.

    Rights of groups that wait count as if the groups had them: who joins now would get them unseen.

    Args:
        user: as he is in the database; None for one that is to be made.
        wish: what remains in it may be done at once.
    """
    has_groups = {group.pk for group in user.groups.all()} if user else set()
    has_rights = {permission.pk for permission in user.user_permissions.all()} if user else set()
    groups = [group for group in wish.groups if group.pk not in has_groups and give_power(_rights_soon([group]))]
    permissions = [permission for permission in wish.permissions if permission.pk not in has_rights]
    wish.groups = [group for group in wish.groups if group not in groups]
    wish.permissions = [permission for permission in wish.permissions if permission not in permissions]
    flags = ["is_superuser"] if _is_set(user, wish, "is_superuser") else []
    stays = _rights_soon(wish.groups) | {name_of(permission) for permission in wish.permissions}
    is_superuser = bool(user and user.is_superuser and wish.flags.get("is_superuser", True))
    if groups or permissions or flags or is_superuser or give_power(stays):
        flags += [flag for flag in ("is_active", "is_staff") if _is_set(user, wish, flag)]
    for flag in flags:
        wish.flags[flag] = False
    return Raise(tuple(groups), tuple(permissions), tuple(flags))


def _rights_soon(groups: Collection[Group]) -> set[str]:
    return rights_of_groups(groups) | rights_to_come(groups)


def _is_set(user: User | None, wish: Wish, flag: str) -> bool:
    """Say whether a flag is to be set that is not."""
    return wish.flags.get(flag, False) and not (user is not None and getattr(user, flag))


def snapshot(user: User) -> dict[str, Any]:
    """Return what the history keeps of a user, to tell what a change has changed; of the address only that it did."""
    named = {name: getattr(user, name) for name in ("username", "first_name", "last_name", *FLAGS)}
    rights = user.user_permissions.select_related("content_type")
    return {
        **named,
        "email": "***" if user.email else "",
        "groups": sorted(group.name for group in user.groups.all()),
        "permissions": sorted(name_of(permission) for permission in rights),
        "rights": sorted(give_power(rights_of(user))),
    }


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return what differs between two snapshots, from what to what."""
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}
