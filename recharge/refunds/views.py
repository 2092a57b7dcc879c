"""What the platform owes, and the sheet to claim it with."""

from collections.abc import Iterator
from decimal import Decimal

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db.models import F
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.web.downloads import CSV, XLSX, sheet_response
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.models import OrderQuerySet
from recharge.orders import exports

from .services import by_age, owing
from .tables import RefundTable


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def refunds(request: Request) -> HttpResponseBase:
    """Show what is owed, by age and order by order; `?format=` json, csv or xlsx gives all of it at once."""
    orders = owing()
    kind = request.GET.get("format", "")
    if kind == "json":
        return JsonResponse({"rows": list(_as_json(orders))}, json_dumps_params={"ensure_ascii": False})
    if kind in (CSV, XLSX):
        header = [*exports.header(), _("Owed"), _("Since")]
        return sheet_response(f"refunds-{timezone.localtime():%Y%m%d-%H%M}", kind, header, _rows(orders, request.user))
    groups = by_age(orders)
    page = page_of(orders.with_people_and_cards(), request)
    context = {
        "groups": groups,
        "total": sum((group.owed for group in groups), Decimal(0)),
        "orders": sum(group.orders for group in groups),
        "page": page,
        "table": RefundTable(page.rows, viewer=request.user),
    }
    return render(request, "recharge/refunds/refunds.html", context)


def _as_json(orders: OrderQuerySet) -> Iterator[dict[str, object]]:
    for order_no, owed, since in orders.order_by("pk").values_list("order_no", F("owed"), "status_at").iterator():
        yield {"order_no": order_no, "owed": str(owed.normalize() + 0), "since": since}


def _rows(orders: OrderQuerySet, viewer: User) -> Iterator[list[object]]:
    for order in exports.in_pages(orders.with_people_and_cards()):
        yield [*exports.row(order, viewer), order.owed.normalize() + 0, order.status_at]  # type: ignore[attr-defined]
