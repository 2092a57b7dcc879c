"""What a change of rights adds, in words, for who decides about it."""

from collections.abc import Iterable, Iterator, Sequence

from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.outside import providers
from portal.kit.lists import listed
from portal.kit.wording import group_name, person, right_name
from portal.web.rendering import in_sight
from recharge.choices import AccountChangeKind
from recharge.models import AccountChange

FLAGS = {
    "is_active": gettext_lazy("may sign in again"),
    "is_staff": gettext_lazy("may open the administration"),
    "is_superuser": gettext_lazy("may do everything"),
}


def added(change: AccountChange) -> Iterator[str]:
    """Yield what a change adds, a line each."""
    if change.kind == AccountChangeKind.PASSWORD:
        yield _("a new password")
    if change.kind == AccountChangeKind.FACTORS:
        yield _("all second factors are taken away; new ones are set up at the next sign-in")
    wanted = change.wanted
    if change.kind == AccountChangeKind.IDENTITY:
        yield _("is signed in by the account at: %(provider)s") % {"provider": providers.name_of(wanted["source"])}
        yield _("which is called there: %(name)s") % {"name": in_sight(wanted["name"]) or "–"}
        yield _("with the key: %(key)s") % {"key": wanted["key"]}
    for group in Group.objects.filter(pk__in=wanted.get("groups", ())).order_by("pk"):
        yield _("becomes one of the group: %(group)s") % {"group": group_name(group)}
    for flag in wanted.get("flags", ()):
        yield str(FLAGS[flag])
    for permission in _read_along(Permission.objects.filter(pk__in=wanted.get("permissions", ()))):
        yield right_name(permission)


def rights_given(change: AccountChange) -> Iterator[str]:
    """Yield the rights that the groups of a change give, as they are now."""
    groups = change.wanted.get("groups", ())
    for permission in _read_along(Permission.objects.filter(group__in=groups).distinct()):
        yield right_name(permission)


def members(people: Sequence[tuple[User, list[User]]]) -> Iterator[str]:
    """Yield who is in a group, each with who else may be able to sign in as that person."""
    for one, others in people:
        said = {"person": f"{person(one)} ({one.get_username()})", "others": listed(map(person, others))}
        words = _("%(person)s; may be able to sign in as this person: %(others)s") if others else "%(person)s"
        yield words % said
    if not people:
        yield _("nobody so far")


def standing(flags: Iterable[str], groups: Iterable[Group], rights: Iterable[Permission]) -> list[str]:
    """Return what a person is already, a line each."""
    lines = [str(FLAGS[flag]) for flag in flags if flag != "is_active"]
    lines += [group_name(group) for group in groups]
    lines += [right_name(permission) for permission in rights]
    return lines or [_("in no group, and without rights that give power")]


def _read_along(rights: QuerySet[Permission]) -> QuerySet[Permission]:
    return rights.select_related("content_type").order_by("content_type", "pk")
