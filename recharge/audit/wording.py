"""What is shown of an entry of the audit trail: what it was done to, and what else is known of it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.outside import providers
from portal.accounts.outside.wording import REASONS
from portal.kit.lists import listed
from portal.kit.wording import GROUPS, group_name, person, right_name
from portal.web.rendering import money
from recharge.choices import AccountChangeKind, PortalEventKind
from recharge.core.masking import hide_numbers
from recharge.models import ABOUT_ACCOUNTS, PortalEvent
from recharge.orders.filters import OrderFilter
from recharge.refunds.filters import RefundFilter

KINDS: dict[str, tuple[str | Promise, Callable[[str], str] | None]] = {
    "order": (gettext_lazy("Order"), lambda key: reverse("order_detail", args=[key])),
    "batch": (gettext_lazy("Batch"), lambda key: reverse("batch_detail", args=[key])),
    "claim": (gettext_lazy("Refund claim"), lambda key: reverse("claim_detail", args=[key])),
    "card": (gettext_lazy("Oil card"), lambda key: reverse("card_detail", args=[key])),
    "change": (gettext_lazy("Change of rights"), lambda key: reverse("account_change", args=[key])),
    "channel": (gettext_lazy("Channel for alerts"), None),
    "stop": (gettext_lazy("Emergency stop"), None),
    "user": (gettext_lazy("Person"), None),
    "group": (gettext_lazy("Group"), None),
}
FIELDS: dict[str, str | Promise] = {
    "username": gettext_lazy("Username"),
    "first_name": gettext_lazy("Full name"),
    "last_name": gettext_lazy("Surname"),
    "email": gettext_lazy("E-mail"),
    "is_active": gettext_lazy("May sign in"),
    "is_staff": gettext_lazy("May open the administration"),
    "is_superuser": gettext_lazy("May do everything"),
    "groups": gettext_lazy("Groups"),
    "permissions": gettext_lazy("Single rights"),
    "rights": gettext_lazy("Rights"),
    "name": gettext_lazy("Name"),
    "password": gettext_lazy("Password"),
    "identity": gettext_lazy("Outside account"),
    "members": gettext_lazy("Members"),
}
RIGHTS = ("rights", "permissions")
"""Details that hold rights by their names in the code."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What something was done to."""

    name: str
    address: str
    """"" where it has no page."""


class Names:
    """What people and groups are called that some events are about, looked up once."""

    def __init__(self, events: Sequence[PortalEvent]) -> None:
        keys: dict[str, set[int]] = {"user": set(), "group": set()}
        for event in events:
            kind, _colon, key = event.about.partition(":")
            if kind in keys and key.isdecimal():
                keys[kind].add(int(key))
        rights = {right for event in events for right in _rights_in(event.details or {})}
        self._rights = _called(rights) if rights else {}
        self._people = {user.pk: person(user) for user in User.objects.filter(pk__in=keys["user"])}
        self._groups = {group.pk: group_name(group) for group in Group.objects.filter(pk__in=keys["group"])}

    def translated(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the details of an event with its rights as people call them."""
        return {name: self._said(value) if name in RIGHTS else value for name, value in known.items()}

    def _said(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._said(item) for item in value]
        return self._rights.get(value, value)

    def subject(self, event: PortalEvent) -> Subject | None:
        """Return what an event is about, None where it is about the portal itself."""
        kind, _colon, key = event.about.partition(":")
        if kind not in KINDS:
            return None
        label, address = KINDS[kind]
        if kind in ("user", "group") and key.isdecimal():
            names = self._people if kind == "user" else self._groups
            return Subject(names.get(int(key), f"{label} {key}"), "")
        return Subject(f"{label} {key}", address(key) if address else "")


def note(event: PortalEvent) -> str:
    """Return an event's sentence, in which no phone or card number is to be read; older ones were written whole."""
    return event.note if event.kind in ABOUT_ACCOUNTS else hide_numbers(event.note)


def facts(event: PortalEvent, names: Names) -> Iterator[tuple[str, str]]:
    """Yield what else is known of an event, each with its label."""
    known = names.translated(event.details or {})
    yield from _EXPLAINED.get(event.kind, _changed)(known)


def _rights_in(value: Any) -> Iterator[str]:
    """Yield what stands as rights in the details of an event, however deep."""
    if isinstance(value, Mapping):
        for name in RIGHTS:
            yield from _rights_in(value.get(name))
    elif isinstance(value, list):
        for item in value:
            yield from _rights_in(item)
    elif isinstance(value, str):
        yield value


def _called(rights: Collection[str]) -> dict[str, str]:
    """Return what rights are called on screen, by their names in the code."""
    codenames = {right.partition(".")[2] for right in rights}
    found = Permission.objects.filter(codename__in=codenames).select_related("content_type")
    return {f"{right.content_type.app_label}.{right.codename}": right_name(right) for right in found}


def _exported(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("File"), str(known.get("file", ""))
    rows = _("%(rows)d rows") % {"rows": known.get("rows", 0)}
    yield _("Rows"), rows if known.get("whole") else f"{rows}, {_('broken off')}"
    yield from _filters(known.get("filter") or {})
    yield _("Columns of the sheet"), listed(known.get("columns") or [])
    yield "SHA-256", str(known.get("sha256", ""))


def _filters(asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    filters = {**RefundFilter.base_filters, **OrderFilter.base_filters}
    for name, asked_for in asked.items():
        known = filters.get(name)
        choices = dict((known.extra.get("choices") if known else None) or ())
        words = {str(key): str(label) for key, label in choices.items()}
        values = asked_for if isinstance(asked_for, list) else [asked_for]
        yield str(known.label if known else name), listed(words.get(str(value), str(value)) for value in values)


def _searched(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("Entries"), str(known.get("entries", 0))
    yield _("Found"), str(known.get("found", 0))


def _decided(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "yuan" in known:
        yield _("Face value"), money(known["yuan"])
    if "declaration" in known:
        yield _("Declared"), _("never arrived")


def _shown(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("Orders"), str(known.get("orders", 0))


def _sign_in(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell of the way by which somebody signed in, or did not; what tells of none was by password."""
    if "way" in known:
        yield _("By the account at"), providers.name_of(known["way"])
    if "why" in known:
        yield _("Reason"), str(REASONS.get(known["why"], known["why"]))


def _told(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell of what somebody was given, or is to be."""
    for name, value in known.items():
        if name == "kind":
            yield _("Change of rights"), str(AccountChangeKind(value).label)
        elif name == "flags":
            yield from ((str(FIELDS[flag]), _("yes")) for flag in value)
        elif name == "by":
            yield _("By"), _("at the command line")
        elif name != "change":
            yield str(FIELDS.get(name, name)), _said(value)


def _changed(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell of changes, each from what to what; whatever is no change is told as it is."""
    for name, value in known.items():
        label = str(FIELDS.get(name, name))
        if isinstance(value, list) and len(value) == 2 and name in FIELDS:
            yield label, f"{_said(value[0])} → {_said(value[1])}"
        else:
            yield label, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return listed(GROUPS.get(item, item) for item in value) or "–"
    return str(value) or "–"


_EXPLAINED: dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]] = {
    PortalEventKind.EXPORTED: _exported,
    PortalEventKind.SEARCHED: _searched,
    PortalEventKind.APPROVED: _decided,
    PortalEventKind.DISAPPROVED: _decided,
    PortalEventKind.NUMBERS_SHOWN: _shown,
    PortalEventKind.SIGNED_IN: _sign_in,
    PortalEventKind.SIGN_IN_FAILED: _sign_in,
    PortalEventKind.IDENTITY_REMOVED: _sign_in,
    PortalEventKind.FACTORS: _told,
    PortalEventKind.PASSWORD_SET: _told,
    PortalEventKind.USER_ADDED: _told,
    PortalEventKind.CHANGE_ASKED: _told,
    PortalEventKind.CHANGE_CONFIRMED: _told,
    PortalEventKind.CHANGE_REFUSED: _told,
}
