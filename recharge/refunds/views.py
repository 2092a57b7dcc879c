"""What the platform owes, and the sheet of it."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.web.downloads import CSV, XLSX, Written
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.core.exporting import export, filters_of, note_export
from recharge.models import OrderQuerySet
from recharge.orders import exports
from recharge.orders.filters import found_by_filter

from .filters import RefundFilter
from .services.owing import by_age, in_open_claims, owing, total_owed, with_open_claims
from .tables import RefundTable


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def refunds(request: Request) -> HttpResponseBase:
    """Show what is owed, by age and order by order.

    `?format=` json, csv or xlsx gives all that the filter finds; as a sheet, to those who may export orders.
    """
    search = RefundFilter(request.GET, owing())
    kind = request.GET.get("format", "")
    if kind in (CSV, XLSX) and not request.user.has_perm("recharge.export_order"):
        raise PermissionDenied
    if kind and not search.is_valid():
        raise BadRequest("no such filter")
    if kind == "json":
        return _json(request, search)
    if kind in (CSV, XLSX):
        header = [*exports.header(), _("Owed"), _("Since"), _("Refund claim"), _("Claimed at")]
        filters = filters_of(request.GET, RefundFilter.base_filters)
        return export(_name(), kind, header, _rows(search.qs, request.user), by=request.user, filters=filters)
    orders = search.qs if search.is_valid() else owing().none()
    page, found = page_of(with_open_claims(orders.with_people_and_cards()), request), found_by_filter(request, orders)
    return render(
        request,
        "recharge/refunds/refunds.html",
        {
            **_sums(),
            "search": search,
            "page": page,
            "found": found,
            "table": RefundTable(page.rows, viewer=request.user, chosen=found),
        },
    )


def _sums() -> dict[str, object]:
    """Add up all that is owed, whatever the filter finds."""
    groups = by_age(owing())
    return {
        "groups": groups,
        "total": sum((group.owed for group in groups), Decimal(0)),
        "orders": sum(group.orders for group in groups),
        "claimed": total_owed(in_open_claims(owing())),
    }


def _name() -> str:
    return f"refunds-{timezone.localtime():%Y%m%d-%H%M}"


def _json(request: Request, search: RefundFilter) -> JsonResponse:
    """Answer programs; what they take along is written down as an export, too."""
    rows = list(_as_json(search.qs))
    answer = JsonResponse({"rows": rows}, json_dumps_params={"ensure_ascii": False})
    file = Written(len(rows), hashlib.sha256(answer.content).hexdigest(), whole=True)
    filters = filters_of(request.GET, RefundFilter.base_filters)
    columns = ["order_no", "owed", "since", "claim", "claimed_at"]
    note_export(f"{_name()}.json", file, columns=columns, by=request.user, filters=filters)
    return answer


def _as_json(orders: OrderQuerySet) -> Iterator[dict[str, object]]:
    for order in with_open_claims(orders.order_by("pk")).iterator(chunk_size=exports.PAGE):
        claims = order.open_claims  # type: ignore[attr-defined]  # prefetched by `owing`
        yield {
            "order_no": order.order_no,
            "owed": str(order.owed.normalize() + 0),  # type: ignore[attr-defined]
            "since": order.status_at,
            "claim": claims[0].claim_id if claims else None,
            "claimed_at": claims[0].claim.made_at if claims else None,
        }


def _rows(orders: OrderQuerySet, viewer: User) -> Iterator[list[object]]:
    for order in exports.in_pages(with_open_claims(orders.with_people_and_cards())):
        row: list[object] = [*exports.row(order, viewer), order.owed.normalize() + 0, order.status_at]  # type: ignore[attr-defined]
        claims = order.open_claims  # type: ignore[attr-defined]  # prefetched by `owing`
        yield [*row, claims[0].claim_id, claims[0].claim.made_at] if claims else [*row, None, None]
