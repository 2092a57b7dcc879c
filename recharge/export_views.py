"""Orders as sheets to take away."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.downloads import sheet_response
from portal.request import Request

from . import exports
from .batch_progress import in_part
from .batch_views import asked_part, unknown
from .filters import OrderFilter
from .models import Batch, Order


@require_GET
@never_cache
@permission_required("recharge.export_order", raise_exception=True)
def order_export(request: Request, kind: str) -> HttpResponseBase:
    """Download the orders that the list's filters find; a search that makes no sense is shown as the list shows it."""
    search = OrderFilter(request.GET, Order.objects.all())
    if not search.is_valid():
        return redirect(f"{reverse('order_list')}?{request.GET.urlencode()}")
    name = f"orders-{timezone.localtime():%Y%m%d-%H%M}"
    return sheet_response(name, kind, exports.header(), exports.rows(search.qs, request.user))


@require_GET
@never_cache
@permission_required("recharge.view_batch", raise_exception=True)
def batch_results(request: Request, batch_id: int, kind: str) -> HttpResponseBase:
    """Download what became of every line of a batch; `?part=` picks orders as on the batch's page."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        return unknown(request)
    part = asked_part(request)
    if part:
        orders = Order.objects.filter(in_part(part), batch=batch)
        return sheet_response(f"batch-{batch_id}-{part}", kind, exports.header(), exports.rows(orders, request.user))
    return sheet_response(f"batch-{batch_id}", kind, exports.header(), exports.rows_of_batch(batch, request.user))
