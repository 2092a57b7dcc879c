"""Who did what in the portal, for auditors."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from portal.web.paging import page_of
from portal.web.request import Request
from recharge.core.exporting import export, filters_of
from recharge.models import PortalEvent

from . import exports
from .filters import AuditFilter
from .tables import AuditTable


@require_safe
@never_cache
@permission_required("recharge.view_portalevent", raise_exception=True)
def audit(request: Request) -> HttpResponse:
    """List what was done, the latest first."""
    search = AuditFilter(request.GET, PortalEvent.objects.select_related("actor"))
    page = page_of(search.qs if search.is_valid() else PortalEvent.objects.none(), request)
    return render(
        request, "recharge/audit/audit.html", {"search": search, "page": page, "table": AuditTable(page.rows)}
    )


@require_GET
@never_cache
@permission_required("recharge.view_portalevent", raise_exception=True)
def audit_export(request: Request, kind: str) -> HttpResponseBase:
    """Download all that the filters find; that somebody did stands in the trail, too."""
    search = AuditFilter(request.GET, PortalEvent.objects.all())
    if not search.is_valid():
        return redirect(f"{reverse('audit')}?{request.GET.urlencode()}")
    filters = filters_of(request.GET, AuditFilter.base_filters)
    name = f"audit-{timezone.localtime():%Y%m%d-%H%M}"
    return export(name, kind, exports.header(), exports.rows(search.qs), by=request.user, filters=filters)
