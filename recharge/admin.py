"""Users and groups to manage; orders, batches, stops and their history to look up, and nothing else.

Django's admin wraps every POST in a transaction, and the platform must never be called inside one: so nothing here
writes an order.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recharge.core.masking import hide_mobile, shown_target
from recharge.orders.filters import OrderFilter

from .models import Batch, BatchEvent, EmergencyStop, Order, OrderEvent, OrderQuerySet, PortalEvent

COUNTED_ROWS = 1000
"""Nobody leafs further than this; counting on would read the whole table."""


LONGEST_KEY = 18
"""Digits; every longer number is beyond a bigint."""


class ShortPaginator(Paginator):
    """Counts no further than people leaf. What lies beyond is found by its number."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)  # the admin leafs in nothing else
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
        columns = ["face_value", "submission", "status", _marks, "placed_by", "placed_at"]
        return ["order_no", _phone_for(_viewer(request)), *columns]

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        """Show every column but the number and the texts of unknown origin, which are shown as the viewer may see."""
        texts = ("duplicate_reason", "note", "refusal", "reason")
        hidden = ("id", "nonce", "mobile", *texts)
        columns = [column.name for column in Order._meta.fields if column.name not in hidden]
        shown = [_text_for(_viewer(request), Order, name) for name in texts]
        return [columns[0], _phone_for(_viewer(request)), *columns[1:], *shown]

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return _found(queryset, search_term), False

    def view_on_site(self, obj: Order) -> str:
        return reverse("order_detail", args=[obj.order_no])


@admin.register(OrderEvent)
class OrderEventAdmin(LookUpAdmin):
    list_display = ("at", "order", "kind", "actor", "verdict", "submission_to", "status_to")
    list_select_related = ("order", "actor")
    search_fields = ("order__order_no__exact",)

    def get_fields(self, request: HttpRequest, obj: OrderEvent | None = None) -> list[Any]:
        columns = [column.name for column in OrderEvent._meta.fields if column.name not in ("id", "note", "raw")]
        return [*columns, *(_text_for(_viewer(request), OrderEvent, name) for name in ("note", "raw"))]

    def get_readonly_fields(self, request: HttpRequest, obj: OrderEvent | None = None) -> list[Any]:
        return self.get_fields(request, obj)

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


class StaffAdmin(UserAdmin):
    """Django lets whoever may change users make himself a superuser; here only superusers make superusers."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "last_login")
    filter_horizontal = ("groups",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return [] if request.user.is_superuser else ["is_superuser", "user_permissions", "last_login", "date_joined"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser's password is not for others to set."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever placed an order stays in the books: leaving people are made inactive."""
        return False

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "groups" in form.base_fields:
            form.base_fields["groups"].help_text = _("What somebody may do follows from the groups.")
        return form


admin.site.unregister(User)
admin.site.register(User, StaffAdmin)


def _found(orders: OrderQuerySet, term: str) -> OrderQuerySet:
    """Find orders by one of their three numbers, as the portal's own list does."""
    search = OrderFilter({"q": term}, orders)
    return search.qs if search.is_valid() else orders.none()


def _numbered(rows: Any, column: str, term: str) -> Any:
    """Find rows by the number of a batch; what is no number finds nothing."""
    if not term:
        return rows
    number = term.strip()
    is_key = number.isascii() and number.isdigit() and len(number) <= LONGEST_KEY
    return rows.filter(**{column: int(number)}) if is_key else rows.none()


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
    return ", ".join(str(kind.label) for kind in order.marked_as) or "–"


_marks.short_description = _("marks")  # type: ignore[attr-defined]  # admin's way to name a column


def _titled(show: Callable[[Any], str], title: str | Promise) -> Callable[[Any], str]:
    show.short_description = title  # type: ignore[attr-defined]  # admin's way to name a column
    return show
