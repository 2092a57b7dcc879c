"""Which of the orders that need a person are shown."""

import datetime as dt
from typing import Any

import django_filters as filters
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from portal.kit.database import from_now
from portal.kit.wording import person
from recharge.choices import Product
from recharge.models import Order, OrderQuerySet

from . import services
from .wording import KINDS

AGES = [("1", _("1 day")), ("3", _("3 days")), ("7", _("7 days"))]
URGENT, CALM = "urgent", "calm"
MINE, NOBODYS = "me", "nobody"


def _choice(label: Any, choices: Any, **kwargs: Any) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(label=label, choices=choices, empty_label=_("All"), **kwargs)


def _people() -> list[tuple[str, Any]]:
    people = User.objects.filter(cases__isnull=False).distinct().order_by("username")
    return [(MINE, _("Me")), (NOBODYS, _("Nobody yet")), *((str(user.pk), person(user)) for user in people)]


class AttentionFilter(filters.FilterSet):
    """By reason, by how long it has been open, by how much it presses, by who looks after it, and by product."""

    kind = _choice(_("Reason"), list(KINDS.items()), method="leave_to_filter_queryset")
    older_than = _choice(_("Older than"), AGES, method="leave_to_filter_queryset")
    urgency = _choice(
        _("Urgency"), [(URGENT, _("Urgent")), (CALM, _("Most likely settles by itself"))], method="pressing"
    )
    person = _choice(_("Looked after by"), _people, method="looked_after")
    product = _choice(_("Product"), Product.choices)
    put_off = _choice(_("Put off"), [("yes", _("Only what was put off"))], method="leave_to_filter_queryset")

    class Meta:
        model = Order
        fields: list[str] = []

    def pressing(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.urgent() if value == URGENT else orders.exclude(pk__in=Order.objects.urgent().values("pk"))

    def looked_after(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        if value == NOBODYS:
            return orders.filter(case__assignee=None)
        return orders.filter(case__assignee=self.request.user if value == MINE else int(value))

    def leave_to_filter_queryset(self, orders: OrderQuerySet, name: str, value: object) -> OrderQuerySet:
        """Kind and age are about the same case, and what was put off is left out unless it is asked for: see below."""
        return orders

    def filter_queryset(self, queryset: OrderQuerySet) -> OrderQuerySet:
        orders: OrderQuerySet = super().filter_queryset(queryset)
        kind, days, put_off = (self.form.cleaned_data.get(name) for name in ("kind", "older_than", "put_off"))
        if kind:
            orders = orders.filter(services.since(kind, from_now(-dt.timedelta(days=int(days or 0)))))
        elif days:
            orders = orders.filter(services.older_than(int(days)))
        later = Order.objects.put_off()
        return orders.filter(pk__in=later.values("pk")) if put_off else orders.exclude(pk__in=later.values("pk"))
