"""The emergency stop: whether it is on, who stopped everything before and why, and stopping."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.web.forms import ReasonForm
from portal.web.request import Request
from recharge.core.errors import ServiceError
from recharge.limits.services.emergency_stop import current_stop, stop_everything
from recharge.models import EmergencyStop

STOPS_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.view_order", raise_exception=True)
def emergency_stop(request: Request) -> HttpResponse:
    """Show whether everything is stopped, and stop it, with a reason."""
    form = ReasonForm(
        request.POST if request.method == "POST" else None, label=gettext_lazy("Why? Everybody will read it.")
    )
    if request.method == "POST" and _stop(request, form):
        messages.success(request, _("Stopped: no further order goes to the platform."))
        return redirect("emergency_stop")
    stops = EmergencyStop.objects.filter(on=False).select_related("started_by", "ended_by").order_by("-id")
    context = {"form": form, "is_on": current_stop(), "ended": stops[:STOPS_SHOWN]}
    return render(request, "recharge/emergency_stop/emergency_stop.html", context)


def _stop(request: Request, form: ReasonForm) -> bool:
    """Stop everything; else the form says what is wrong."""
    if not request.user.has_perm("recharge.change_order"):
        raise PermissionDenied
    if not form.is_valid():
        return False
    try:
        stop_everything(actor=request.user, reason=form.cleaned_data["reason"])
    except ServiceError as error:
        form.refuse(error)
        return False
    return True
