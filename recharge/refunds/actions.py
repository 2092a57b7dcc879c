"""What a person says of the orders of a claim; each is written down by itself."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.web.actions import Button, Confirmation, Room, Said
from portal.web.request import Request
from recharge.choices import ClaimOutcome
from recharge.core.errors import ServiceError, TooLate
from recharge.models import RefundClaim

from .forms import OutcomeForm
from .services import claiming


def unknown(request: Request) -> HttpResponse:
    """Say that there is no such claim."""
    return render(request, "recharge/refunds/claim_unknown.html", status=404)


ROOM = Room[RefundClaim](
    noun="claim",
    template="recharge/refunds/confirm.html",
    find=lambda claim_id: RefundClaim.objects.filter(pk=claim_id).first(),
    unknown=unknown,
    address=lambda claim: reverse("claim_detail", args=[claim.pk]),
    refusals=(ServiceError,),
    on_form=lambda form, error: False,
)


def _refused_form(data: Any, claim: RefundClaim) -> forms.Form:
    return OutcomeForm(data, claim=claim, label=_("The vendor's words"), all_chosen=False, words_needed=True)


@ROOM.action(
    "recharge.change_refundclaim",
    Confirmation(
        _("The vendor refuses the refund"),
        _(
            "It is kept with the vendor's words. The orders stay owed, and can be claimed again; a refund that is "
            "confirmed later counts all the same."
        ),
        Button(_("Write it down")),
    ),
    form=_refused_form,
)
def refuse(claim: RefundClaim, said: Said, actor: User) -> str:
    """Write down that the vendor refuses the refund of some orders."""
    return _settle(said, ClaimOutcome.REFUSED, actor)


def _withdrawal_form(data: Any, claim: RefundClaim) -> forms.Form:
    return OutcomeForm(data, claim=claim, label=_("Why (optional)"), all_chosen=True, words_needed=False)


@ROOM.action(
    "recharge.change_refundclaim",
    Confirmation(
        _("Take orders out of the claim"),
        _("They stay owed, and can be claimed again. Tell the vendor if the claim was sent already."),
        Button(_("Take out")),
    ),
    form=_withdrawal_form,
)
def withdraw(claim: RefundClaim, said: Said, actor: User) -> str:
    """Take some orders out of a claim."""
    return _settle(said, ClaimOutcome.WITHDRAWN, actor)


def _settle(said: Said, outcome: ClaimOutcome, actor: User) -> str:
    done = 0
    for row in said["rows"]:
        try:
            claiming.settle(row_id=row.pk, said=outcome, actor=actor, words=said["words"])
            done += 1
        except TooLate:  # it came back, or somebody else was faster: the claim's page says which
            continue
    written = gettext("Written down for %(done)d of %(all)d orders.")
    return written % {"done": done, "all": len(said["rows"])}
