"""Finding orders. Every field has a label of its own: django-filter's catalogue isn't loaded under zh-hans."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.fields import ModelChoiceField

from oilcards.models import OilCard
from portal.kit.wording import person
from portal.web.request import Request
from recharge.choices import MarkKind, Product, Submission
from recharge.core.periods import Period, bounds_of, midnight
from recharge.models import Order, OrderQuerySet
from recharge.status import Status

ANY_ATTENTION = "any"
CARDS_LOOKED_FOR = 200
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
BIGGEST_KEY = 2**63 - 1
MAX_ORDERS = 500
"""To which one bulk action may be done."""
_SEPARATORS = re.compile(r"[\s\-‐-―().·]+")
_LAST_FOUR = re.compile(r"[0-9]{4}")
_MOBILE = re.compile(r"(?:\+|00)?(?:86)?(1\d{10})")


def date(label: Any) -> filters.DateFilter:
    """Return a filter by a day, which `leave_to_filter_queryset` leaves to `filter_queryset`."""
    return filters.DateFilter(
        label=label,
        method="leave_to_filter_queryset",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
    )


def choice(label: Any, choices: Any, **kwargs: Any) -> filters.ChoiceFilter:
    """Return a filter by one of some choices, or by none of them."""
    return filters.ChoiceFilter(label=label, choices=choices, empty_label=_("All"), **kwargs)


PLACED, SETTLED = "placed", "settled"


class KeyFilter(filters.Filter):
    """The primary key of something, which may belong to nothing."""

    field_class = forms.IntegerField


class _PersonField(ModelChoiceField):
    def label_from_instance(self, obj: User) -> str:
        return person(obj)


class PersonFilter(filters.ModelChoiceFilter):
    """One of some people, by name."""

    field_class = _PersonField


class OrderFilter(filters.FilterSet):
    q = filters.CharFilter(
        label=_("Order, platform or mobile number, or the last four digits of a card"), method="find", max_length=80
    )
    status = choice(_("Status at the platform"), Status.choices)
    submission = choice(_("Submission"), Submission.choices)
    product = choice(_("Product"), Product.choices)
    placed_from = date(_("From"))
    placed_to = date(_("To"))
    placed_by = PersonFilter(label=_("Placed by"), queryset=User.objects.order_by("username"), empty_label=_("All"))
    period = choice(_("Period"), Period.choices, method="leave_to_filter_queryset")
    period_of = filters.ChoiceFilter(
        label=_("Period of"),
        choices=[(PLACED, _("Placing")), (SETTLED, _("Settling"))],
        empty_label=None,
        method="leave_to_filter_queryset",
    )
    batch = KeyFilter(label=_("Number of the batch"), min_value=1, max_value=BIGGEST_KEY)
    attention = choice(
        _("Attention"), [(ANY_ATTENTION, _("Everything that needs attention")), *MarkKind.choices], method="attentive"
    )

    class Meta:
        model = Order
        fields: list[str] = []

    @property
    def used(self) -> bool:
        """Whether anything narrows the list but the search box and the period, which are seen anyway."""
        return any(self.data.get(name) for name in self.filters if name not in ("q", "period", "period_of"))

    @property
    def sorts_by_settling(self) -> bool:
        """Whether the list is one of what was settled in a period, the latest first, which an index then serves."""
        cleaned = self.form.cleaned_data if self.is_valid() else {}
        return bool(cleaned.get("period")) and cleaned.get("period_of") == SETTLED

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
        """Both dates make one range, and so do a period and what it is of, see below."""
        return orders

    def filter_queryset(self, queryset: OrderQuerySet) -> OrderQuerySet:
        orders: OrderQuerySet = super().filter_queryset(queryset)
        first, last = (self.form.cleaned_data.get(name) for name in ("placed_from", "placed_to"))
        if first or last:
            after_last = midnight(last + dt.timedelta(days=1)) if last else None
            orders = orders.placed_between(midnight(first) if first else None, after_last)
        if period := self.form.cleaned_data.get("period"):
            of_settling = self.form.cleaned_data.get("period_of") == SETTLED
            within = orders.settled_between if of_settling else orders.placed_between
            orders = within(*bounds_of(Period(period)))
        return orders


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of the orders that a list's filter found, in the list's order, and whether there are more of them."""

    numbers: list[str]
    more: bool = False


def found_by_filter(
    request: Request, orders: QuerySet[Order], *, by: str = "id", oldest_first: bool = False
) -> Found | None:
    """Return what a list's filter finds now, MAX_ORDERS at most, where `?choose=all` asks for it; else None.

    It goes into the page, so that what is confirmed is what was there then: no order joins it meanwhile.

    Args:
        request: for the address.
        orders: the list.
        by: the column by which the list is sorted, as for `page_of`.
        oldest_first: which way round.
    """
    if request.GET.get("choose") != "all":
        return None
    order_by = dict.fromkeys((by, "id")) if oldest_first else dict.fromkeys((f"-{by}", "-id"))
    numbers = list(orders.order_by(*order_by).values_list("order_no", flat=True)[: MAX_ORDERS + 1])
    return Found(numbers[:MAX_ORDERS], more=len(numbers) > MAX_ORDERS)


def chosen_numbers(request: Request, *also: str) -> list[str]:
    """Return the numbers of the orders that were chosen on a list, as `recharge/orders/_choosing.html` sends them.

    What a filter found beyond the page stands beside what was ticked on it; a row that was unticked is left out.

    Args:
        request: the POST.
        also: names of fields that hold more of them.

    Raises:
        BadRequest: they are more than MAX_ORDERS.
    """
    sent = request.POST
    shown = {*sent.getlist("shown")}
    numbers = [*sent.getlist("order_no"), *(number for number in sent.getlist("found") if number not in shown)]
    numbers += [number for name in also for number in sent.getlist(name)]
    if len(numbers) > MAX_ORDERS:
        raise BadRequest(f"more than {MAX_ORDERS} orders")
    return [number.replace("\x00", "") for number in numbers]
