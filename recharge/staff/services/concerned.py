"""Whom a change of rights concerns: what they are already, and who may sign in as they."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.utils.translation import gettext as _

from portal.kit.wording import person
from recharge.choices import AccountChangeKind
from recharge.limits.services.approval import last_sign_in_changes, may_sign_in_as
from recharge.models import AccountChange
from recharge.staff import wording

from . import powers


def people(change: AccountChange) -> list[User]:
    """Return the person whom a change is about, or those who are in the group now, by their keys."""
    if change.user:
        return [change.user]
    return powers.members(change.group) if change.group else []


def who_gains(change: AccountChange) -> list[User]:
    """Return the people concerned, none where a group gets rights of everyday work only."""
    return people(change) if change.kind != AccountChangeKind.GROUP or powers.gives_power(change) else []


def may_be_another(change: AccountChange) -> bool:
    """Say whether somebody else may be able to sign in as one of the people concerned."""
    return any(may_sign_in_as(people(change)).values())


def sign_ins(change: AccountChange) -> list[list[Any]]:
    """Return all that is known of how the people concerned may sign in, to tell whether it became something else."""
    concerned = people(change)
    others, last = may_sign_in_as(concerned), last_sign_in_changes(concerned)
    return [[*_who(one), sorted(other.pk for other in others[one.pk]), last.get(one.pk, 0)] for one in concerned]


def _who(user: User) -> list[Any]:
    return [user.pk, user.get_username(), user.get_full_name(), user.is_active]


def standing(change: AccountChange) -> dict[str, Any]:
    """Return what the person is already: flags, groups, and rights with power; empty for a group."""
    user = change.user
    if user is None:
        return {}
    return {
        "flags": [flag for flag in powers.FLAGS if getattr(user, flag)],
        "groups": sorted(user.groups.values_list("pk", flat=True)),
        "rights": sorted(powers.give_power(powers.rights_of(user))),
    }


def told(change: AccountChange) -> list[tuple[str, list[str]]]:
    """Return in words what whoever decides has to know of the people concerned: headings, each with its lines."""
    concerned = people(change)
    others = may_sign_in_as(concerned)
    if change.kind == AccountChangeKind.GROUP:
        return [(_("Members, who get it"), list(wording.members([(one, others[one.pk]) for one in concerned])))]
    lines = [(_("What this person is already"), _standing_in_words(change))]
    names = [person(other) for one in concerned for other in others[one.pk]]
    return [*lines, (_("May be able to sign in as this person"), names)] if names else lines


def _standing_in_words(change: AccountChange) -> list[str]:
    known = standing(change)
    groups = Group.objects.filter(pk__in=known["groups"]).order_by("pk")
    named = {right.partition(".")[2] for right in known["rights"]}
    found = Permission.objects.filter(codename__in=named).select_related("content_type").order_by("content_type", "pk")
    rights = [permission for permission in found if powers.name_of(permission) in known["rights"]]
    return wording.standing(known["flags"], groups, rights)
