"""The card book: finding cards, adding and editing them, looking at one."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.kit.secrecy import personal
from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request

from . import wording
from .choices import BUSY_STATES, State
from .filters import CardFilter
from .forms import AdoptForm, CardForm, EditForm
from .models import OilCard
from .services import adding, availability, changing, comparing, deleting, resolving, sync
from .services.errors import Doubtful, ServiceError
from .tables import CardTable

HIDDEN = ("card_number", "holder_phone", "national_id")


@require_safe
@personal
@permission_required("oilcards.view_oilcard", raise_exception=True)
def card_list(request: Request) -> HttpResponse:
    """Find cards, newest first."""
    sync.expire_leases()
    search = CardFilter(request.GET, OilCard.objects.select_related("added_by").defer(*HIDDEN))
    page = page_of(search.qs if search.is_valid() else OilCard.objects.none(), request)
    context = {"search": search, "page": page, "table": CardTable(page.rows)}
    busy = any(card.state in BUSY_STATES for card in page.rows)
    return render_live(request, "oilcards/card_list.html", "oilcards/_cards.html", context, polling=busy)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.add_oilcard", raise_exception=True)
def card_new(request: Request) -> HttpResponse:
    """Put a card into the book and add it at the platform."""
    form = CardForm(request.POST if request.method == "POST" else None)

    def add(accept_warnings: bool) -> OilCard:
        return adding.add_card(details=form.details(), actor=request.user, accept_warnings=accept_warnings)

    card = _try(form, add)
    if card is None:
        return render(request, "oilcards/card_new.html", {"form": form})
    if card.state == State.ACTIVE:
        messages.success(request, _("The card was added; it can be recharged."))
    return redirect("card_detail", card.pk)


@require_safe
@personal
@permission_required("oilcards.view_oilcard", raise_exception=True)
def card_detail(request: Request, card_id: int) -> HttpResponse:
    """Show a card as far as everybody may see it, everything that happened to it, and what can be done now."""
    card = find(card_id)
    if card is None:
        return unknown(request)
    if sync.expire_leases(card_id=card.pk):
        card.refresh_from_db()
    context = {
        "card": card,
        "outcome": wording.of_card(card),
        "events": card.events.select_related("actor"),
        "can_recharge": availability.can_recharge(card),
        "can_edit": changing.can_edit(card),
        "can_add_again": adding.can_add_again(card),
        "can_compare": comparing.can_compare(card),
        "can_send_ours": changing.can_edit(card) and card.state != State.ACTIVE,
        "can_enter_id": resolving.can_enter_platform_id(card),
        "can_declare_never_arrived": resolving.can_declare_never_arrived(card),
        "can_delete": deleting.can_delete(card),
        "can_declare_deleted": deleting.can_declare_deleted(card),
    }
    busy = card.state in BUSY_STATES
    return render_live(request, "oilcards/card_detail.html", "oilcards/_card.html", context, polling=busy)


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def card_edit(request: Request, card_id: int) -> HttpResponse:
    """Change a card, or correct one that the platform refused and add it again."""
    card = find(card_id)
    if card is None:
        return unknown(request)
    again = adding.can_add_again(card)
    form = EditForm(request.POST if request.method == "POST" else None, card=card)

    def change(accept_warnings: bool) -> OilCard:
        act = adding.add_again if again else changing.edit_card
        return act(
            card_id=card.pk,
            details=form.details(),
            version=form.cleaned_data["version"],
            actor=request.user,
            accept_warnings=accept_warnings,
        )

    changed = _try(form, change)
    if changed is None:
        context = {"form": form, "card": card, "again": again, "possible": again or changing.can_edit(card)}
        return render(request, "oilcards/card_edit.html", context)
    if changed.state == State.ACTIVE:
        same = changed.version == card.version
        messages.success(request, _("Nothing was changed.") if same else _("The platform has the card as it is here."))
    return redirect("card_detail", card.pk)


@require_POST
@personal
@permission_required("oilcards.change_oilcard", raise_exception=True)
def take_theirs(request: Request, card_id: int) -> HttpResponse:
    """Take over the platform's values. The comparison has shown them, so that nothing is left to be confirmed."""
    card, form = find(card_id), AdoptForm(request.POST)
    if card is None:
        return unknown(request)
    if not form.is_valid():
        messages.error(request, _("This form was damaged in transit; please compare again."))
        return redirect("card_detail", card.pk)
    fields, fingerprint = form.cleaned_data["fields_taken"], form.cleaned_data["fingerprint"]
    try:
        changed = comparing.adopt_theirs(card_id=card.pk, fields=fields, fingerprint=fingerprint, actor=request.user)
    except ServiceError as error:
        messages.error(request, str(error))
    else:
        agree = changed.state == State.ACTIVE
        messages.success(request, _("Book and platform agree.") if agree else _("Taken over."))
    return redirect("card_detail", card.pk)


def find(card_id: int) -> OilCard | None:
    """Return a card and who added and changed it last, None where there is no such card."""
    return OilCard.objects.select_related("added_by", "changed_by").filter(pk=card_id).first()


def unknown(request: Request) -> HttpResponse:
    """Say that there is no such card."""
    return render(request, "oilcards/card_unknown.html", status=404)


def _try(form: CardForm, act: Callable[[bool], OilCard]) -> OilCard | None:
    """Do it where the form was sent; None where it was not, or where the form has to be shown again."""
    if not form.is_bound or not form.is_valid():
        return None
    try:
        try:
            return act(False)
        except Doubtful as doubtful:
            if not form.has_accepted(doubtful):
                raise
            return act(True)
    except ServiceError as error:
        form.refuse(error)
        return None
