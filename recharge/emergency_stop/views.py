"""The emergency stop: whether it is on, who stopped everything before and why, stopping, and going on."""

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
from recharge.core.errors import Outdated, ServiceError
from recharge.fulfilment.services.replacing import count_to_be_held
from recharge.limits.services.emergency_stop import current_stop, stop_everything
from recharge.limits.services.emergency_stop import go_on as let_go_on
from recharge.models import EmergencyStop, Order

from .forms import GoOnForm

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


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.approve_order", raise_exception=True)
def go_on(request: Request) -> HttpResponse:
    """Let orders go out again."""
    form = GoOnForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            let_go_on(stop_id=form.cleaned_data["seen"], actor=request.user)
        except Outdated as error:
            form.add_error(None, str(error))
        except ServiceError as error:
            messages.error(request, str(error))
            return redirect("emergency_stop")
        else:
            messages.success(request, _("Orders go to the platform again."))
            return redirect("emergency_stop")
    is_on = current_stop()
    if is_on is None:
        return redirect("emergency_stop")
    context = {"is_on": is_on, "form": form, "to_be_held": count_to_be_held(Order.objects.all())}
    return render(request, "recharge/emergency_stop/confirm_go_on.html", context)


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
