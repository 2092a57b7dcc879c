"""Releasing slow top-ups that are held, after a confirmation."""

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
from recharge.limits.services import slow_hold
from recharge.models import SlowHold

from .forms import ReleaseForm


def _nothing_is_held(request: Request) -> HttpResponse:
    if request.method == "POST":
        messages.error(request, gettext("Slow top-ups are not held."))
    return redirect("slow_hold")


ROOM = Room[SlowHold](
    noun="is_on",
    template="recharge/emergency_stop/confirm_release.html",
    find=slow_hold.current,
    unknown=_nothing_is_held,
    address=lambda is_on: reverse("slow_hold"),
    refusals=(ServiceError,),
    on_form=lambda form, error: isinstance(error, Outdated),
)


def _what_goes_on(is_on: SlowHold) -> Confirmation:
    return Confirmation(
        _("Release slow top-ups?"),
        _("Slow top-ups can be placed again, and those that waited go to the platform at once."),
        Button(_("Release them"), icon="player-play"),
        seen={"seen": is_on.pk},
    )


@ROOM.action(
    "recharge.approve_order",
    _what_goes_on,
    form=lambda data, is_on: ReleaseForm(data, label=_("Why are they released? Everybody will read it.")),
    protect=factors.after_fresh_factor(),
)
def release(is_on: SlowHold, said: Said, actor: User) -> str:
    """Let slow top-ups go on, with a reason."""
    slow_hold.release(hold_id=said["seen"], actor=actor, reason=said["reason"])
    return gettext("Slow top-ups go on.")
