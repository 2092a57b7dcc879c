"""Orders, batches, stops and their history to look up, rules about numbers to keep; users and groups are in staff/.

Django's admin wraps every POST in a transaction, and the platform must never be called inside one: so nothing here
writes an order.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.accounts.admin import by_name
from portal.kit.lists import listed
from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal
from recharge.core.masking import hide_mobile, shown_target
from recharge.limits.services import number_limits
from recharge.numbers.services import judging as numbers
from recharge.orders.filters import OrderFilter

from .models import (
    Batch,
    BatchEvent,
    EmergencyStop,
    NumberLimit,
    NumberRule,
    Order,
    OrderEvent,
    OrderQuerySet,
    PortalEvent,
)
from .staff import admin as _staff  # noqa: F401  (registers users and groups)
from .staff import identity_admin as _identities  # noqa: F401  (registers accounts elsewhere)

COUNTED_ROWS = 1000
"""Nobody pages further than this; counting all would read the whole table."""


MAX_KEY_DIGITS = 18
"""Digits; every longer number is beyond a bigint."""


class ShortPaginator(Paginator):
    """Counts no further than people page. Older rows are found by their numbers."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)  # the admin paginates nothing else
        return rows[:COUNTED_ROWS].count()


class LookUpAdmin(admin.ModelAdmin):
    """A list that costs the same however long it is, found by exact numbers only, and never written to."""

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-id",)
    paginator = ShortPaginator
    search_help_text = _("Order number, platform number or mobile number")
    show_full_result_count = False
    sortable_by = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return by_name(self.model, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        hidden = ("id", *(self.exclude or ()))
        return by_name(self.model, [column.name for column in self.model._meta.fields if column.name not in hidden])

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(LookUpAdmin):
    list_select_related = ("placed_by", "oil_card")
    search_fields = ("order_no__exact",)  # shows the box; get_search_results does the finding

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = by_name(Order, ["face_value", "submission", "status", _marks, "placed_by", "placed_at"])
        return ["order_no", _phone_for(_viewer(request)), *columns]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Show every column but the number and the texts of unknown origin, which are shown as the viewer may see."""
        texts = ("duplicate_reason", "note", "purpose", "reference", "refusal", "reason")
        hidden = ("id", "nonce", "mobile", *texts)
        columns = by_name(Order, [column.name for column in Order._meta.fields if column.name not in hidden])
        shown = [_text_for(_viewer(request), Order, name) for name in texts]
        return [columns[0], _phone_for(_viewer(request)), *columns[1:], *shown]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _found(queryset, search_term), False

    def view_on_site(self, obj: Order) -> str:
        return reverse("order_detail", args=[obj.order_no])


@admin.register(OrderEvent)
class OrderEventAdmin(LookUpAdmin):
    list_display = ("at", "order", "kind", "actor", "verdict", "submission_to", "status_to")
    list_select_related = ("order", "actor")
    search_fields = ("order__order_no__exact",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        columns = [column.name for column in OrderEvent._meta.fields if column.name not in ("id", "note", "raw")]
        return [
            *by_name(OrderEvent, columns),
            *(_text_for(_viewer(request), OrderEvent, name) for name in ("note", "raw")),
        ]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term:
            return queryset, False
        found = _found(Order.objects.all(), search_term).values_list("pk", flat=True)[:COUNTED_ROWS]
        return queryset.filter(order__in=list(found)), False

    def view_on_site(self, obj: OrderEvent) -> str:
        return reverse("order_detail", args=[obj.order.order_no])


@admin.register(Batch)
class BatchAdmin(LookUpAdmin):
    list_display = ("pk", "product", "file_name", "size", "total", "state", "made_by", "made_at", "approved_by")
    list_select_related = ("made_by", "approved_by")
    search_fields = ("pk__exact",)
    search_help_text = _("Number of the batch")
    exclude = ("nonce", "digest")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _numbered(queryset, "pk", search_term), False


@admin.register(BatchEvent)
class BatchEventAdmin(LookUpAdmin):
    list_display = ("at", "batch", "kind", "actor", "note")
    list_select_related = ("batch", "actor")
    search_fields = ("batch__exact",)
    search_help_text = _("Number of the batch")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _numbered(queryset, "batch", search_term), False


@admin.register(EmergencyStop)
class EmergencyStopAdmin(LookUpAdmin):
    list_display = ("started_at", "started_by", "reason", "on", "ended_at", "ended_by")
    list_select_related = ("started_by", "ended_by")


@admin.register(PortalEvent)
class PortalEventAdmin(LookUpAdmin):
    list_display = ("at", "kind", "actor", "note")
    list_select_related = ("actor",)


@admin.register(NumberRule)
class NumberRuleAdmin(admin.ModelAdmin):
    """The one thing besides users that is changed here; what was changed stands in the portal's history, too."""

    actions = None
    list_display = ("prefix", "verdict", "reason", "active")
    list_filter = ("verdict", "active")
    search_fields = ("prefix__startswith", "reason")
    search_help_text = _("Prefix, number, or words of the reason")

    def save_model(self, request: HttpRequest, obj: NumberRule, form: ModelForm, change: bool) -> None:
        before = NumberRule.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        self._record(request, f"{_said(before)} → {_said(obj)}")

    def delete_model(self, request: HttpRequest, obj: NumberRule) -> None:
        said = _said(obj)
        super().delete_model(request, obj)
        self._record(request, f"{said} → –")

    def _record(self, request: HttpRequest, note: str) -> None:
        record_of_portal(PortalEventKind.NUMBER_RULE, actor=_viewer(request), note=note)
        transaction.on_commit(numbers.forget)


@admin.register(NumberLimit)
class NumberLimitAdmin(admin.ModelAdmin):
    """How much one number may get; what was changed stands in the portal's history."""

    actions = None
    list_display = ("period", "most_orders", "most_yuan", "active")

    def save_model(self, request: HttpRequest, obj: NumberLimit, form: ModelForm, change: bool) -> None:
        before = NumberLimit.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        self._record(request, f"{_said_of_limit(before)} → {_said_of_limit(obj)}")

    def delete_model(self, request: HttpRequest, obj: NumberLimit) -> None:
        said = _said_of_limit(obj)
        super().delete_model(request, obj)
        self._record(request, f"{said} → –")

    def _record(self, request: HttpRequest, note: str) -> None:
        record_of_portal(PortalEventKind.NUMBER_LIMIT, actor=_viewer(request), note=note)
        transaction.on_commit(number_limits.forget)


def _found(orders: OrderQuerySet, term: str) -> OrderQuerySet:
    """Find orders by one of their three numbers, as the portal's own list does."""
    search = OrderFilter({"q": term}, orders)
    return search.qs if search.is_valid() else orders.none()


def _numbered(rows: Any, column: str, term: str) -> Any:
    """Find rows by the number of a batch; what is no number finds nothing."""
    if not term:
        return rows
    number = term.strip()
    is_key = number.isascii() and number.isdigit() and len(number) <= MAX_KEY_DIGITS
    return rows.filter(**{column: int(number)}) if is_key else rows.none()


def _said(rule: NumberRule | None) -> str:
    if rule is None:
        return "–"
    state = "" if rule.active else f"({_('switched off')})"
    return " ".join(filter(None, [rule.prefix, rule.get_verdict_display(), rule.reason, state]))


def _said_of_limit(limit: NumberLimit | None) -> str:
    if limit is None:
        return "–"
    orders, yuan = (most if most is not None else "–" for most in (limit.most_orders, limit.most_yuan))
    state = "" if limit.active else f" ({_('switched off')})"
    return f"{limit.get_period_display()} {orders} / ¥ {yuan}{state}"


def _viewer(request: HttpRequest) -> User:
    """Return who is signed in; the admin lets no stranger through."""
    return cast(User, request.user)


def _phone_for(viewer: User) -> Callable[[Order], str]:
    def phone(order: Order) -> str:
        return shown_target(order, viewer)

    return _titled(phone, _("mobile number"))


def _text_for(viewer: User, model: type[Order | OrderEvent], name: str) -> Callable[[Any], str]:
    def text(row: Order | OrderEvent) -> str:
        return hide_mobile(getattr(row, name), row if isinstance(row, Order) else row.order, viewer) or "–"

    column = cast("Field[Any, Any]", model._meta.get_field(name))
    return _titled(text, column.verbose_name)


def _marks(order: Order) -> str:
    return listed(kind.label for kind in order.marked_as) or "–"


_marks.short_description = _("marks")  # type: ignore[attr-defined]  # admin's way to name a column


def _titled(show: Callable[[Any], str], title: str | Promise) -> Callable[[Any], str]:
    show.short_description = title  # type: ignore[attr-defined]  # admin's way to name a column
    return show
