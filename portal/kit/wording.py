"""How a state is shown, whatever it is a state of, and what people are called."""

import datetime as dt
import re
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission, User
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

_CHINESE = re.compile(r"[\u3400-\u9fff]")
GROUPS = {
    "Operators": _("Operators"),
    "Approvers": _("Approvers"),
    "Auditors": _("Auditors"),
    "Administrators": _("Administrators"),
}

VERBS = {
    "view": _("look at: %(what)s"),
    "add": _("add: %(what)s"),
    "change": _("change: %(what)s"),
    "delete": _("delete: %(what)s"),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What a state is called, what it means, one of Tabler's colours, and an icon of `portal/web/icons.py`."""

    label: str | Promise
    explanation: str | Promise
    colour: str
    icon: str


def day(date: dt.date, *, with_year: bool = True) -> str:
    """Write a day as the reader's language does: 2026年11月29日 in Chinese, 2026-11-29 in any other."""
    if (get_language() or "").startswith("zh"):
        return f"{date.year}年{date.month}月{date.day}日" if with_year else f"{date.month}月{date.day}日"
    return f"{date:%Y-%m-%d}" if with_year else f"{date:%m-%d}"


def person(user: User) -> str:
    """Return a person's name, family name first where it is Chinese; the login only where nobody has entered one."""
    name = user.get_full_name()
    if _CHINESE.search(name):
        return f"{user.last_name}{user.first_name}"
    return name or user.get_username()


def group_name(group: Group) -> str:
    """Return what a group is called on screen: those that the portal comes with in the reader's language."""
    return str(GROUPS.get(group.name, group.name))


def right_name(permission: Permission) -> str:
    """Return what a right is called on screen; `content_type` should have been read along."""
    verb, _line, what = permission.codename.partition("_")
    model = permission.content_type.model_class()
    if verb in VERBS and model is not None and what == model._meta.model_name:
        return str(VERBS[verb]) % {"what": model._meta.verbose_name}
    return _now(permission.name)
