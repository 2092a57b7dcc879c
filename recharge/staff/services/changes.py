"""Changes that make somebody an approver or administrator, or give such a one a new password: by two persons."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.accounts.models import UnmatchedIdentity
from portal.accounts.outside import services as outside
from portal.accounts.services import require_new_password, reset_factors
from portal.kit.audit import COMMAND_LINE
from recharge.choices import AccountChangeKind, AccountChangeOutcome, PortalEventKind
from recharge.core.errors import NotYours, Outdated, TooLate
from recharge.core.events import clean, record_of_portal
from recharge.core.masking import hide_numbers
from recharge.limits.services.approval import require_none_of
from recharge.models import AccountChange

from . import concerned, powers
from .powers import Raise

WORDS_LIMIT = 200
MANAGES_USERS = "auth.change_user"
MANAGES_GROUPS = "auth.change_group"


def ask_for_rights(*, user: User, more: Raise, reason: str, actor: User) -> AccountChange:
    """Ask for more rights of a user; nothing changes before a second administrator has confirmed it.

    Args:
        user: the user concerned.
        more: what is to be added.
        reason: why, for whoever decides.
        actor: who asks.

    Raises:
        TooLate: something of that kind is asked for already.
    """
    wanted = {
        "groups": [group.pk for group in more.groups],
        "permissions": [permission.pk for permission in more.permissions],
        "flags": list(more.flags),
    }
    return _ask(AccountChange(kind=AccountChangeKind.RIGHTS, user=user, wanted=wanted), reason, actor)


def ask_for_password(*, user: User, password: str, reason: str, actor: User) -> AccountChange:
    """Ask for a new password of a user who has power; `password` is its hash. The rest is as in `ask_for_rights`."""
    return _ask(AccountChange(kind=AccountChangeKind.PASSWORD, user=user, password=password), reason, actor)


def ask_for_factors(*, user: User, reason: str, actor: User) -> AccountChange:
    """Ask for the second factors of a user who has power to be taken away. The rest is as in `ask_for_rights`."""
    return _ask(AccountChange(kind=AccountChangeKind.FACTORS, user=user), reason, actor)


def ask_for_identity(*, user: User, identity: UnmatchedIdentity, reason: str, actor: User) -> AccountChange:
    """Ask for a user to be signed in by an account elsewhere, whatever he may do. The rest is as in `ask_for_rights`.

    Who has that account is that user here: with one administrator's word alone, he could make himself anybody.
    """
    wanted = {"source": identity.source, "key": identity.key, "name": identity.name}
    return _ask(AccountChange(kind=AccountChangeKind.IDENTITY, user=user, wanted=wanted), reason, actor)


def ask_for_group(*, group: Group, permissions: list[Permission], reason: str, actor: User) -> AccountChange:
    """Ask for more rights of a group; the rest is as in `ask_for_rights`."""
    wanted = {"permissions": [permission.pk for permission in permissions]}
    return _ask(AccountChange(kind=AccountChangeKind.GROUP, group=group, wanted=wanted), reason, actor)


def _ask(change: AccountChange, reason: str, actor: User) -> AccountChange:
    AccountChange.objects.expire()
    change.reason, change.asked_by = clean(reason.strip(), WORDS_LIMIT), actor
    try:
        with transaction.atomic():
            change.save(force_insert=True)
            _record(PortalEventKind.CHANGE_ASKED, change, actor, change.reason)
    except IntegrityError:
        raise TooLate(_("That is asked for already: it has to be decided or withdrawn first.")) from None
    return change


def described(change: AccountChange) -> dict[str, Any]:
    """Return what a change would add and to whom, in the words of the history: names of groups, rights and flags."""
    wanted = change.wanted
    permissions = Permission.objects.filter(pk__in=wanted.get("permissions", ())).select_related("content_type")
    groups = list(Group.objects.filter(pk__in=wanted.get("groups", ())))
    given = {powers.name_of(permission) for permission in permissions}
    told = {
        "groups": sorted(group.name for group in groups),
        "permissions": sorted(given),
        "rights": sorted(powers.give_power(given | powers.rights_of_groups(groups))),
        "flags": list(wanted.get("flags", ())),
        "identity": [hide_numbers(wanted[name]) for name in ("source", "name", "key") if wanted.get(name)],
        "members": [user.get_username() for user in powers.members(change.group)] if change.group else [],
    }
    return {name: values for name, values in told.items() if values}


def seen(change: AccountChange) -> str:
    """Return what stands for all that a person is shown of a change, so that nothing else is confirmed.

    That is also what the people concerned are already, who else may sign in as they, and that nobody touched their
    passwords and factors since.
    """
    about = change.user or change.group
    shown = [change.pk, str(about), change.user.get_full_name() if change.user else "", described(change)]
    shown += [concerned.standing(change), concerned.sign_ins(change)]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def confirm(*, change_id: int, was_seen: str, actor: User | None, words: str = "") -> AccountChange:
    """Do what was asked for, and write it down, in one transaction.

    Args:
        change_id: the change's primary key.
        was_seen: what `seen` returned when the person was shown it.
        actor: the second administrator; None at the command line, where whoever owns the server confirms.
        words: what there is to say.

    Raises:
        NotYours: the person asked for it, or is who it is about, or may be able to sign in as somebody who asked for
            it or gains by it, or may not manage users.
        TooLate: it is decided or expired; who asked may not any more; the user concerned is gone or inactive.
        Outdated: it would do something else by now than what was shown.
    """
    with transaction.atomic(durable=True):
        change = _close(change_id, AccountChangeOutcome.CONFIRMED, actor, words)
        if actor is not None:
            _require_manager(actor)
            require_none_of([change.asked_by, *concerned.who_gains(change)], actor)
        _require_still_sound(change)
        if seen(change) != was_seen:
            raise Outdated
        given = described(change)
        _EFFECTS[change.kind](change)
        _record(PortalEventKind.CHANGE_CONFIRMED, change, actor, words, given)
    return change


def refuse(*, change_id: int, actor: User, words: str) -> AccountChange:
    """Refuse a change, or withdraw it where the person asked for it himself.

    Raises:
        TooLate: it is decided or expired.
        NotYours: the person may not manage users.
    """
    with transaction.atomic(durable=True):
        own = AccountChange.objects.filter(pk=change_id, asked_by=actor).exists()
        outcome = AccountChangeOutcome.WITHDRAWN if own else AccountChangeOutcome.REFUSED
        change = _close(change_id, outcome, actor, words)
        if not own:
            _require_manager(actor)
        _record(PortalEventKind.CHANGE_REFUSED, change, actor, words)
    return change


def may_confirm(change: AccountChange, actor: User) -> bool:
    """Say whether a person may decide about a change; permissions are another matter."""
    return actor.pk not in (change.asked_by_id, change.user_id)


def _close(change_id: int, outcome: AccountChangeOutcome, actor: User | None, words: str) -> AccountChange:
    """Take the decision for this one: of two at the same moment, the second finds it decided."""
    change = AccountChange.objects.select_related("user", "group", "asked_by").filter(pk=change_id).first()
    said = clean(words.strip(), WORDS_LIMIT)
    news = {"outcome": outcome, "decided_by": actor, "decided_at": Now(), "words": said, "password": ""}
    if change is None:
        raise TooLate(_("This is decided already, or has expired."))
    if outcome == AccountChangeOutcome.CONFIRMED and actor is not None and not may_confirm(change, actor):
        raise NotYours(_("You asked for this yourself, or it is about you: another administrator has to confirm it."))
    if not AccountChange.objects.waiting().filter(pk=change_id).update(**news):
        raise TooLate(_("This is decided already, or has expired."))
    _lock(change, actor)
    change.outcome = outcome  # the password is still in it, for whoever applies it
    return change


def _lock(change: AccountChange, actor: User | None) -> None:
    """Lock all whom a change concerns, then its groups, so that nobody joins or is taken over meanwhile."""
    people = {change.asked_by_id, *(user.pk for user in concerned.people(change)), *([actor.pk] if actor else [])}
    users = {user.pk: user for user in User.objects.select_for_update().filter(pk__in=people).order_by("pk")}
    keys = [*change.wanted.get("groups", ()), *([change.group_id] if change.group_id else [])]
    groups = {group.pk: group for group in Group.objects.select_for_update().filter(pk__in=keys).order_by("pk")}
    change.asked_by = users[change.asked_by_id]
    if change.user_id:
        change.user = users[change.user_id]
    if change.group_id:
        change.group = groups.get(change.group_id)


def _require_manager(actor: User) -> None:
    """As the database has it now: rights that were taken meanwhile don't count."""
    fresh = User.objects.get(pk=actor.pk)
    if not (fresh.is_active and fresh.has_perm(MANAGES_USERS)):
        raise NotYours(_("You may not manage users."))


def _require_still_sound(change: AccountChange) -> None:
    """Make sure that who asked still may, and that the user concerned is still there as he was shown."""
    asker = User.objects.get(pk=change.asked_by_id)
    right = MANAGES_GROUPS if change.kind == AccountChangeKind.GROUP else MANAGES_USERS
    flags = change.wanted.get("flags", ())
    single_rights = change.kind == AccountChangeKind.RIGHTS and change.wanted["permissions"]
    needs_superuser = "is_superuser" in flags or single_rights
    if not (asker.is_active and asker.has_perm(right)) or (needs_superuser and not asker.is_superuser):
        raise TooLate(_("Who asked for it may not manage users any more. Reject it."))
    if change.kind == AccountChangeKind.GROUP:
        if change.group is None:
            raise TooLate(_("The group is gone. Reject it."))
        return
    if change.user is None or not (change.user.is_active or "is_active" in flags):
        raise TooLate(_("The person was made inactive meanwhile. Reject it."))
    if change.user.is_superuser and not asker.is_superuser:
        raise TooLate(_("Only superusers change superusers. Reject it."))


def _give_rights(change: AccountChange) -> None:
    user, wanted = change.user, change.wanted
    assert user
    groups = list(Group.objects.filter(pk__in=wanted["groups"]))
    permissions = list(Permission.objects.filter(pk__in=wanted["permissions"]))
    if len(groups) < len(wanted["groups"]) or len(permissions) < len(wanted["permissions"]):
        raise TooLate(_("The group is gone. Reject it."))
    user.groups.add(*groups)
    user.user_permissions.add(*permissions)
    flags = [flag for flag in wanted["flags"] if flag in powers.FLAGS]
    for flag in flags:
        setattr(user, flag, True)
    user.save(update_fields=flags)


def _set_password(change: AccountChange) -> None:
    user = change.user
    assert user
    user.password = change.password
    user.save(update_fields=["password"])
    require_new_password(user)
    # By who knows it: approvers ask the history whose password it is.
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=change.asked_by, about=user)


def _reset_factors(change: AccountChange) -> None:
    assert change.user
    reset_factors(change.user, actor=change.asked_by)


def _match_identity(change: AccountChange) -> None:
    assert change.user
    try:
        outside.match(change.user, **change.wanted)
    except outside.TakenAlready:
        raise TooLate(_("That account is somebody's by now. Reject it.")) from None


def _give_group_rights(change: AccountChange) -> None:
    assert change.group
    change.group.permissions.add(*Permission.objects.filter(pk__in=change.wanted["permissions"]))


_EFFECTS: dict[str, Callable[[AccountChange], None]] = {
    AccountChangeKind.RIGHTS: _give_rights,
    AccountChangeKind.PASSWORD: _set_password,
    AccountChangeKind.FACTORS: _reset_factors,
    AccountChangeKind.GROUP: _give_group_rights,
    AccountChangeKind.IDENTITY: _match_identity,
}
"""What each kind does once it is confirmed."""


def _record(
    kind: PortalEventKind,
    change: AccountChange,
    actor: User | None,
    note: str,
    given: dict[str, Any] | None = None,
) -> None:
    details = {"change": change.pk, "kind": change.kind, **(described(change) if given is None else given)}
    if actor is None:
        details["by"] = COMMAND_LINE
    record_of_portal(kind, actor=actor, note=note, about=change.user or change.group or change, details=details)
