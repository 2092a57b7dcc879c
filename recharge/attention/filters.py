"""Which of the orders that need a person are shown."""

import datetime as dt
from typing import Any

import django_filters as filters
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from portal.kit.database import from_now
from recharge.choices import MarkKind, Product
from recharge.models import Mark, Order, OrderQuerySet

AGES = [("1", _("1 day")), ("3", _("3 days")), ("7", _("7 days"))]


def _choice(label: Any, choices: Any, **kwargs: Any) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(label=label, choices=choices, empty_label=_("All"), **kwargs)


class AttentionFilter(filters.FilterSet):
    """By reason, by how long it has been open, and by product."""

    kind = _choice(_("Reason"), MarkKind.choices, method="leave_to_filter_queryset")
    older_than = _choice(_("Older than"), AGES, method="leave_to_filter_queryset")
    product = _choice(_("Product"), Product.choices)

    class Meta:
        model = Order
        fields: list[str] = []

    def leave_to_filter_queryset(self, orders: OrderQuerySet, name: str, value: object) -> OrderQuerySet:
        """Both are about the same mark, see below."""
        return orders

    def filter_queryset(self, queryset: OrderQuerySet) -> OrderQuerySet:
        orders: OrderQuerySet = super().filter_queryset(queryset)
        kind, days = (self.form.cleaned_data.get(name) for name in ("kind", "older_than"))
        if kind or days:
            marks = Mark.objects.open().filter(order=OuterRef("pk"))
            marks = marks.filter(kind=kind) if kind else marks
            marks = marks.filter(since__lte=from_now(-dt.timedelta(days=int(days)))) if days else marks
            orders = orders.filter(Exists(marks))
        return orders
