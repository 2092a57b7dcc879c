"""Finding what was done, by whom, and to what."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.models import Group, User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import group_name, person
from recharge.choices import PortalEventKind
from recharge.core.periods import midnight
from recharge.models import PortalEvent
from recharge.models.portal_wide.portal_events import PortalEventQuerySet
from recharge.orders.filters import EARLIEST, LATEST, PersonFilter

_SUBJECT = re.compile(r"[a-z]{1,10}:[0-9A-Za-z]{1,40}")
_ORDER_NO = re.compile(r"[0-9]{20}")
_KEY = re.compile(r"[0-9]{1,18}")
_BETWEEN = re.compile(r"[\s\-]+")


def _date(label: Any) -> filters.DateFilter:
    return filters.DateFilter(
        label=label,
        method="leave_to_filter_queryset",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


class AuditFilter(filters.FilterSet):
    """By kind, by person, by what it was done to, and by date."""

    kind = filters.ChoiceFilter(label=_("Event"), choices=PortalEventKind.choices, empty_label=_("All"))
    actor = PersonFilter(label=_("By"), queryset=User.objects.order_by("username"), empty_label=_("All"))
    about = filters.CharFilter(
        label=_("About"),
        method="done_to",
        max_length=80,
        help_text=_("The name of a person or group, or the number of an order or batch."),
    )
    first = _date(_("From"))
    last = _date(_("To"))

    class Meta:
        model = PortalEvent
        fields: list[str] = []

    def done_to(self, events: PortalEventQuerySet, name: str, typed: str) -> PortalEventQuerySet:
        return events.filter(about__in=list(subjects_called(typed)))

    def leave_to_filter_queryset(self, events: PortalEventQuerySet, name: str, value: dt.date) -> PortalEventQuerySet:
        """Both dates make one range, see below."""
        return events

    def filter_queryset(self, queryset: PortalEventQuerySet) -> PortalEventQuerySet:
        events: PortalEventQuerySet = super().filter_queryset(queryset)
        first, last = (self.form.cleaned_data.get(name) for name in ("first", "last"))
        if first or last:
            after_last = midnight(last + dt.timedelta(days=1)) if last else None
            events = events.between(midnight(first) if first else None, after_last)
        return events


def subjects_called(typed: str) -> Iterator[str]:
    """Yield what the history may call something that somebody names as people do: by its name or number."""
    text = unicodedata.normalize("NFKC", typed).strip()
    compact = _BETWEEN.sub("", text)
    if _SUBJECT.fullmatch(text):
        yield text
    if _ORDER_NO.fullmatch(compact):
        yield f"order:{compact}"
    elif _KEY.fullmatch(compact):
        yield f"batch:{int(compact)}"
    for user in User.objects.only("username", "first_name", "last_name"):
        if text in (user.username, person(user)):
            yield f"user:{user.pk}"
    for group in Group.objects.only("name"):
        if text in (group.name, group_name(group)):
            yield f"group:{group.pk}"
