"""Finding what is owed, by how long it has been and whether it is claimed."""

import django_filters as filters
from django.utils.translation import gettext_lazy as _

from recharge.models import Order, OrderQuerySet

from .services.owing import AGES, in_no_open_claim, in_open_claims, of_age

CLAIMED, NOT_CLAIMED = "yes", "no"


class RefundFilter(filters.FilterSet):
    age = filters.ChoiceFilter(
        label=_("Owed for"), choices=[(str(days), label) for days, label in AGES], empty_label=_("All"), method="aged"
    )
    claimed = filters.ChoiceFilter(
        label=_("Claimed"),
        choices=[(NOT_CLAIMED, _("not claimed")), (CLAIMED, _("claimed"))],
        empty_label=_("All"),
        method="in_claims",
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def aged(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return orders.filter(of_age(int(value)))

    def in_claims(self, orders: OrderQuerySet, name: str, value: str) -> OrderQuerySet:
        return in_open_claims(orders) if value == CLAIMED else in_no_open_claim(orders)
