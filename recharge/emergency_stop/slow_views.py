"""The hold of slow top-ups, which begins with a number that was suspended: whether it is on, and the earlier ones."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.web.request import Request
from recharge.limits.services import slow_hold as holding
from recharge.models import SlowHold

HOLDS_SHOWN = 20


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def slow_hold(request: Request) -> HttpResponse:
    """Show whether slow top-ups are held, and the earlier holds."""
    ended = SlowHold.objects.filter(on=False).select_related("started_by", "ended_by", "order").order_by("-id")
    context = {"is_on": holding.current(), "ended": ended[:HOLDS_SHOWN]}
    return render(request, "recharge/emergency_stop/slow_hold.html", context)
