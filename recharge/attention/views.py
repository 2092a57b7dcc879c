"""What needs a person."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.models import Order
from recharge.orders.views import any_open

from .filters import AttentionFilter
from .services import kinds
from .tables import AttentionTable


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def attention(request: Request) -> HttpResponse:
    """List the orders that need a person, why, and what to do."""
    search = AttentionFilter(request.GET, Order.objects.needing_attention().with_people_and_cards())
    page = page_of(search.qs if search.is_valid() else Order.objects.none(), request)
    context = {
        "search": search,
        "page": page,
        "kinds": kinds(),
        "table": AttentionTable(page.rows, viewer=request.user),
    }
    return render_live(
        request, "recharge/attention/attention.html", "recharge/orders/_orders.html", context, polling=any_open(page)
    )
