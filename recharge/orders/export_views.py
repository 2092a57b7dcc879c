"""Orders as sheets to download."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.web.request import Request
from recharge.core.exporting import export, filters_of
from recharge.models import Order
from recharge.orders import exports
from recharge.orders.filters import OrderFilter


@require_GET
@never_cache
@permission_required("recharge.export_order", raise_exception=True)
def order_export(request: Request, kind: str) -> HttpResponseBase:
    """Download the orders that the list's filters find; a search that makes no sense is shown as the list shows it."""
    search = OrderFilter(request.GET, Order.objects.all())
    if not search.is_valid():
        return redirect(f"{reverse('order_list')}?{request.GET.urlencode()}")
    name = f"orders-{timezone.localtime():%Y%m%d-%H%M}"
    filters = filters_of(request.GET, OrderFilter.base_filters)
    rows = exports.rows(search.qs, request.user)
    return export(name, kind, exports.header(), rows, by=request.user, filters=filters)
