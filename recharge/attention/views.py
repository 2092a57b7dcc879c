"""What needs a person."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.models import Order
from recharge.orders.filters import found_by_filter
from recharge.orders.tables import OrderTable
from recharge.orders.views import any_open

from .filters import AttentionFilter
from .services import cases_of, elsewhere, kinds
from .tables import AttentionTable

LATEST = 20


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def attention(request: Request) -> HttpResponse:
    """List the orders that need a person, why, what to do, and who looks after them."""
    cases = Order.objects.cases().with_people_and_cards().select_related("case__assignee")
    search = AttentionFilter(request.GET, cases, request=request)
    orders = search.qs if search.is_valid() else Order.objects.none()
    page, found = page_of(orders, request), found_by_filter(request, orders)
    context = {
        "search": search,
        "page": page,
        "found": found,
        "kinds": kinds(),
        "elsewhere": elsewhere(request.user),
        "table": AttentionTable(page.rows, viewer=request.user, chosen=found, columns=request.GET.getlist("columns")),
    }
    return render_live(
        request, "recharge/attention/attention.html", "recharge/orders/_orders.html", context, polling=any_open(page)
    )


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def mine(request: Request) -> HttpResponse:
    """Show a person's own cases, and the latest orders that he placed, the open ones apart."""
    placed = Order.objects.with_people_and_cards().filter(placed_by=request.user).order_by("-id")
    own = cases_of(request.user).with_people_and_cards().select_related("case__assignee").order_by("-id")
    context = {
        "cases": AttentionTable(list(own[:LATEST]), viewer=request.user),
        "open": OrderTable(list(placed.open()[:LATEST]), viewer=request.user),
        "latest": OrderTable(list(placed[:LATEST]), viewer=request.user),
    }
    return render(request, "recharge/attention/mine.html", context)
