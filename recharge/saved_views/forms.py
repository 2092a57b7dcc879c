"""What of a list can be saved, and how people call it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet

from portal.kit.lists import listed
from portal.web.forms import MarkedForm
from portal.web.request import Request
from recharge.attention.filters import AttentionFilter
from recharge.attention.tables import AttentionTable
from recharge.choices import ListPage
from recharge.core.errors import ServiceError
from recharge.models import Order
from recharge.orders.filters import OrderFilter
from recharge.orders.tables import OrderTable

from .services import Query, may_share

SEARCH = "q"
"""The filter that is never saved: what people type there are phone and card numbers."""


@dataclass(frozen=True, slots=True)
class SavableList:
    """A list of which views can be saved."""

    address: str
    filters: type[FilterSet]
    table: type[OrderTable]


LISTS = {
    ListPage.ORDERS: SavableList("order_list", OrderFilter, OrderTable),
    ListPage.DESK: SavableList("attention", AttentionFilter, AttentionTable),
}


class ViewForm(MarkedForm):
    """A view's name, and who sees it."""

    name = forms.CharField(
        label=_("Name of the view"),
        max_length=40,
        error_messages={"required": _("Give it a name.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autofocus": True}),
    )
    shared = forms.BooleanField(
        label=_("Everybody sees it"), required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share(user):
            del self.fields["shared"]

    def refuse(self, error: ServiceError) -> None:
        """Show what a service refused; what was typed stays."""
        self.add_error(None, str(error))


def query_in(page: ListPage, address: QueryDict) -> Query | None:
    """Return what of an address can be saved; None where its filters make no sense.

    What is searched for, the place in the list and names that the list doesn't know are left out; so are columns where
    they are the usual ones.
    """
    known, table = LISTS[page], LISTS[page].table
    search = _filters(page, address, None)
    if not search.is_valid():
        return None
    query = {name: [value for value in address.getlist(name) if value] for name in known.filters.base_filters}
    if query.get("period_of") and not query.get("period"):
        del query["period_of"]
    columns = table.chosen_of(address.getlist("columns"))
    query["columns"] = [] if columns == table.usual() else columns
    return {name: values for name, values in query.items() if values and name != SEARCH}


def address_of(query: Query) -> str:
    """Return the part of an address that asks for a list with these filters and columns."""
    parts = QueryDict(mutable=True)
    for name, values in query.items():
        parts.setlist(name, values)
    return parts.urlencode()


def in_words(page: ListPage, query: Query, request: Request) -> Iterator[tuple[str | Promise, str]]:
    """Yield what a view shows: each filter by its label, with its value as people read it, and the columns."""
    search = _filters(page, QueryDict(address_of(query)), request)
    for field in search.form:
        if values := query.get(field.name):
            names = dict(getattr(field.field, "choices", ()))
            words = {str(key): str(name) for key, name in names.items()}
            yield field.label, listed(words.get(value, value) for value in values)
    if columns := query.get("columns"):
        labels = LISTS[page].table.choices()
        yield _("Columns"), listed(labels[name] for name in columns if name in labels)


def _filters(page: ListPage, address: QueryDict, request: Request | None) -> FilterSet:
    without = address.copy()
    without.pop(SEARCH, None)
    return LISTS[page].filters(without, Order.objects.none(), request=request)
