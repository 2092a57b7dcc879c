"""Ending the emergency stop, after a confirmation."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import factors
from portal.web.actions import Button, Confirmation, Room, Said
from portal.web.request import Request
from recharge.core.errors import Outdated, ServiceError
from recharge.fulfilment.services.replacing import count_to_be_held
from recharge.limits.services import emergency_stop
from recharge.models import EmergencyStop, Order

from .forms import GoOnForm


def _nothing_is_stopped(request: Request) -> HttpResponse:
    if request.method == "POST":
        messages.error(request, gettext("Nothing is stopped."))
    return redirect("emergency_stop")


ROOM = Room[EmergencyStop](
    noun="is_on",
    template="recharge/emergency_stop/confirm.html",
    find=emergency_stop.current_stop,
    unknown=_nothing_is_stopped,
    address=lambda is_on: reverse("emergency_stop"),
    refusals=(ServiceError,),
    on_form=lambda form, error: isinstance(error, Outdated),
)


def _cause(is_on: EmergencyStop) -> Confirmation:
    return Confirmation(
        _("Let orders go out again?"),
        _(
            "Queued orders go to the platform at once, and batches in progress continue. Make sure that the cause is "
            "gone."
        ),
        Button(_("Let them go out"), icon="player-play"),
        details="recharge/core/_to_be_held.html",
        context={"to_be_held": count_to_be_held(Order.objects.all())},
        seen={"seen": is_on.pk},
    )


@ROOM.action(
    "recharge.approve_order",
    _cause,
    form=lambda data, is_on: GoOnForm(data),
    protect=factors.after_fresh_factor(),
)
def go_on(is_on: EmergencyStop, said: Said, actor: User) -> str:
    """Let orders go out again."""
    emergency_stop.go_on(stop_id=said["seen"], actor=actor)
    return gettext("Orders go to the platform again.")
