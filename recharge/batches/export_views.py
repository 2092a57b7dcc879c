"""Orders as sheets to download."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.web.request import Request
from recharge.batches.exports import rows_of_batch
from recharge.batches.services.progress import in_part
from recharge.core.exporting import export
from recharge.models import Batch, Order
from recharge.orders.exports import header, rows

from .views import asked_part, unknown


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
        found, name = rows(orders, request.user), f"batch-{batch_id}-{part}"
        return export(name, kind, header(), found, by=request.user, filters={"part": part}, about=batch)
    every = rows_of_batch(batch, request.user)
    return export(f"batch-{batch_id}", kind, header(), every, by=request.user, about=batch)
