"""Finding orders. Every field has a label of its own: django-filter's catalogue isn't loaded under zh-hans."""

import datetime as dt
import re
import unicodedata
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard
from recharge.choices import MarkKind, Product, Submission
from recharge.models import Order, OrderQuerySet
from recharge.status import Status

ANY_ATTENTION = "any"
CARDS_LOOKED_FOR = 200
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
BIGGEST_KEY = 2**63 - 1
_SEPARATORS = re.compile(r"[\s\-‐-―().·]+")
_LAST_FOUR = re.compile(r"[0-9]{4}")
_MOBILE = re.compile(r"(?:\+|00)?(?:86)?(1\d{10})")


def _date(label: Any) -> filters.DateFilter:
    return filters.DateFilter(
        label=label,
        method="leave_to_filter_queryset",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


def _choice(label: Any, choices: Any, **kwargs: Any) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(label=label, choices=choices, empty_label=_("All"), **kwargs)


class KeyFilter(filters.Filter):
    """The primary key of something, which may belong to nothing."""

    field_class = forms.IntegerField


class OrderFilter(filters.FilterSet):
    q = filters.CharFilter(
        label=_("Number of order, platform or mobile, or a card's last four digits"), method="find", max_length=80
    )
    status = _choice(_("Status at the platform"), Status.choices)
    submission = _choice(_("Submission"), Submission.choices)
    product = _choice(_("Product"), Product.choices)
    placed_from = _date(_("From"))
    placed_to = _date(_("To"))
    placed_by = filters.ModelChoiceFilter(
        label=_("Placed by"), queryset=User.objects.order_by("username"), empty_label=_("All")
    )
    batch = KeyFilter(label=_("Number of the batch"), min_value=1, max_value=BIGGEST_KEY)
    attention = _choice(
        _("Attention"), [(ANY_ATTENTION, _("Whatever needs attention")), *MarkKind.choices], method="attentive"
    )

    class Meta:
        model = Order
        fields: list[str] = []

    @property
    def used(self) -> bool:
        """Whether anything but the search box narrows the list."""
        return any(self.data.get(name) for name in self.filters if name != "q")

    def find(self, orders: OrderQuerySet, name: str, text: str) -> OrderQuerySet:
        """Understand any of the numbers in any form in which people copy or type it."""
        typed = unicodedata.normalize("NFKC", text).strip()
        compact = _SEPARATORS.sub("", typed)
        wanted = Q(order_no=compact) | Q(gateway_order_no__in={typed, compact})
        if mobile := _MOBILE.fullmatch(compact):
            wanted |= Q(mobile=mobile[1])
        if _LAST_FOUR.fullmatch(compact):
            # Their keys, and no join: each part of the search is then found by an index of its own.
            cards = OilCard.objects.ending_with(compact).values_list("pk", flat=True)
            wanted |= Q(oil_card__in=list(cards[:CARDS_LOOKED_FOR]))
        return orders.filter(wanted)

    def attentive(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        if value == ANY_ATTENTION:
            return orders.needing_attention()
        return orders.marked(MarkKind(value))

    def leave_to_filter_queryset(self, orders: OrderQuerySet, name: str, value: dt.date) -> OrderQuerySet:
        """Both dates make one range, see below."""
        return orders

    def filter_queryset(self, queryset: OrderQuerySet) -> OrderQuerySet:
        orders: OrderQuerySet = super().filter_queryset(queryset)
        first, last = (self.form.cleaned_data.get(name) for name in ("placed_from", "placed_to"))
        if first or last:
            after_last = last + dt.timedelta(days=1) if last else None
            orders = orders.placed_between(_midnight(first), _midnight(after_last))
        return orders


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None
