"""Days that people ask for by a word: they are other ones tomorrow, so that the word is kept, never its dates."""

import datetime as dt

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Period(TextChoices):
    TODAY = "today", _("Today")
    YESTERDAY = "yesterday", _("Yesterday")
    LAST_7_DAYS = "last_7_days", _("Last 7 days")
    THIS_WEEK = "this_week", _("This week")
    THIS_MONTH = "this_month", _("This month")
    LAST_MONTH = "last_month", _("Last month")


def days_of(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a period; a week begins on Monday, the last 7 days end today."""
    day, first = dt.timedelta(days=1), today.replace(day=1)
    return {
        Period.TODAY: (today, today),
        Period.YESTERDAY: (today - day, today - day),
        Period.LAST_7_DAYS: (today - 6 * day, today),
        Period.THIS_WEEK: (today - today.weekday() * day, today),
        Period.THIS_MONTH: (first, today),
        Period.LAST_MONTH: ((first - day).replace(day=1), first - day),
    }[period]


def bounds_of(period: Period) -> tuple[dt.datetime, dt.datetime]:
    """Return the moments from which on and before which a period is, in the portal's time zone, as of now."""
    first, last = days_of(period, timezone.localdate())
    return midnight(first), midnight(last + dt.timedelta(days=1))


def midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which a day begins in the portal's time zone."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
