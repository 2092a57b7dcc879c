"""What a person may do with a card: each deed is shown for confirmation first, and done by a POST."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from oilcards.services.errors import ServiceError
from portal.kit.secrecy import personal
from portal.web.forms import ReasonForm
from portal.web.request import Request

from .choices import State
from .forms import AdoptForm, PlatformIdForm, VersionForm
from .models import OilCard
from .services import changing, comparing, deleting, resolving, revealing
from .views import find, unknown

HOW_DO_YOU_KNOW = gettext_lazy("How do you know?")


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def compare(request: Request, card_id: int) -> HttpResponse:
    """Ask the platform for the card, and show the differences field by field."""
    card = find(card_id)
    if card is None or request.method != "POST":
        return _ask_to_confirm(request, card, "oilcards/confirm_compare.html")
    try:
        comparison = comparing.compare(card_id=card.pk, actor=request.user)
    except ServiceError as error:
        messages.error(request, str(error))
        return redirect("card_detail", card.pk)
    return render(request, "oilcards/comparison.html", {"card": comparison.card, "comparison": comparison})


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def send_ours(request: Request, card_id: int) -> HttpResponse:
    """Give the platform our values, all of them."""

    def deed(card: OilCard, form: forms.Form) -> str:
        changed = changing.adopt_ours(card_id=card.pk, version=form.cleaned_data["version"], actor=request.user)
        return _("The platform has our values now.") if changed.state == State.ACTIVE else ""

    return _confirm_or_do(request, card_id, "oilcards/confirm_send_ours.html", deed, VersionForm)


@require_POST
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def take_theirs(request: Request, card_id: int) -> HttpResponse:
    """Take over the platform's values, as the comparison has shown them."""
    card, form = find(card_id), AdoptForm(request.POST)
    if card is None:
        return unknown(request)
    if not form.is_valid():
        messages.error(request, _("This form was damaged on its way; compare again."))
        return redirect("card_detail", card.pk)

    def deed(card: OilCard, form: forms.Form) -> str:
        changed = comparing.adopt_theirs(
            card_id=card.pk,
            fields=form.cleaned_data["fields_taken"],
            fingerprint=form.cleaned_data["fingerprint"],
            actor=request.user,
        )
        return _("Book and platform agree.") if changed.state == State.ACTIVE else _("Taken over.")

    return _do(request, card, form, deed, "")


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def enter_id(request: Request, card_id: int) -> HttpResponse:
    """Give a card the id that the vendor's console shows for it."""

    def deed(card: OilCard, form: forms.Form) -> str:
        number = form.cleaned_data["platform_card_id"]
        card = resolving.enter_platform_id(card_id=card.pk, platform_card_id=number, actor=request.user)
        return _("The platform has the card; it can be recharged.") if card.state == State.ACTIVE else ""

    return _confirm_or_do(request, card_id, "oilcards/confirm_enter_id.html", deed, PlatformIdForm)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def never_arrived(request: Request, card_id: int) -> HttpResponse:
    """Declare that the platform never received the addition."""

    def deed(card: OilCard, form: forms.Form) -> str:
        resolving.declare_never_arrived(card_id=card.pk, reason=form.cleaned_data["reason"], actor=request.user)
        return _("Noted. The card can be added again now.")

    return _confirm_or_do(request, card_id, "oilcards/confirm_never_arrived.html", deed, _reason(HOW_DO_YOU_KNOW))


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.delete_oilcard", raise_exception=True)
def delete(request: Request, card_id: int) -> HttpResponse:
    """Delete the card at the platform and take it out of the book; its row and its orders stay."""

    def deed(card: OilCard, form: forms.Form) -> str:
        gone = deleting.delete_card(card_id=card.pk, actor=request.user)
        return _("The card is deleted.") if gone.state == State.DELETED else ""

    return _confirm_or_do(request, card_id, "oilcards/confirm_delete.html", deed, forms.Form)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.delete_oilcard", raise_exception=True)
def gone(request: Request, card_id: int) -> HttpResponse:
    """Declare that the platform doesn't have the card any more."""

    def deed(card: OilCard, form: forms.Form) -> str:
        deleting.declare_deleted(card_id=card.pk, reason=form.cleaned_data["reason"], actor=request.user)
        return _("The card is deleted.")

    return _confirm_or_do(request, card_id, "oilcards/confirm_gone.html", deed, _reason(HOW_DO_YOU_KNOW))


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required(revealing.PERMISSION, raise_exception=True)
def reveal(request: Request, card_id: int) -> HttpResponse:
    """Show the card's data in clear, in the answer to this very POST and nowhere else."""
    card = find(card_id)
    form = _reason(gettext_lazy("Why do you need to see it?"))(request.POST if request.method == "POST" else None)
    if card is None or not form.is_valid():
        return _ask_to_confirm(request, card, "oilcards/confirm_reveal.html", form)
    try:
        details = revealing.reveal(card_id=card.pk, reason=form.cleaned_data["reason"], actor=request.user)
    except ServiceError as error:
        form.add_error(None, str(error))
        return _ask_to_confirm(request, card, "oilcards/confirm_reveal.html", form)
    return render(request, "oilcards/revealed.html", {"card": card, "details": details})


def _reason(label: Any) -> Callable[..., forms.Form]:
    return lambda data=None: ReasonForm(data, label=label)


def _confirm_or_do(
    request: Request,
    card_id: int,
    template: str,
    deed: Callable[[OilCard, forms.Form], str],
    make_form: Callable[..., forms.Form],
) -> HttpResponse:
    """Do it where it is a POST, and show in words what came of it; else show what would be done."""
    card = find(card_id)
    form = make_form(request.POST if request.method == "POST" else None)
    if card is None or not form.is_valid():
        return _ask_to_confirm(request, card, template, form)
    return _do(request, card, form, deed, template)


def _do(
    request: Request, card: OilCard, form: forms.Form, deed: Callable[[OilCard, forms.Form], str], template: str
) -> HttpResponse:
    """Do it. Where a service refuses what was typed, the form is shown again; the card's page tells the rest."""
    try:
        done = deed(card, form)
    except ServiceError as error:
        if isinstance(form, ReasonForm | PlatformIdForm):
            form.refuse(error)
            return _ask_to_confirm(request, card, template, form)
        messages.error(request, str(error))
    else:
        if done:
            messages.success(request, done)
    return redirect("card_detail", card.pk)


def _ask_to_confirm(
    request: Request, card: OilCard | None, template: str, form: forms.Form | None = None
) -> HttpResponse:
    if card is None:
        return unknown(request)
    return render(request, template, {"card": card, "form": form})
