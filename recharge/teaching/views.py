"""Teaching the portal what the platform's codes and words mean: by one administrator, with another one's agreement."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import factors, password
from portal.accounts.views import signed_out
from portal.web.forms import PasswordForm
from portal.web.request import Request
from recharge.approvals.forms import DecisionForm
from recharge.choices import Verdict
from recharge.core.errors import ServiceError, why_not
from recharge.models import OrderEvent, Reading
from recharge.platform.services import keeping
from recharge.readings import services as readings

from .forms import MeaningForm, ProposalForm, RemovalForm
from .services import effects, lessons
from .wording import OUTCOMES

EARLIER = 20
TEACHES = "recharge.teach_reading"


@require_safe
@permission_required("recharge.view_reading", raise_exception=True)
def reading_list(request: Request) -> HttpResponse:
    """Show what nobody knows yet, what awaits a second administrator, and what was taught."""
    people = Reading.objects.select_related("proposed_by", "decided_by", "removal_asked_by", "removed_by")
    context = {
        "codes": effects.unknown_codes(),
        "words": effects.untaught_words(),
        "waiting": people.waiting(),
        "in_force": people.in_force().filter(removal_asked_by=None),
        "earlier": people.exclude(pk__in=Reading.objects.live()).order_by("-id")[:EARLIER],
    }
    return render(request, "recharge/teaching/reading_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(TEACHES, raise_exception=True)
def reading_teach(request: Request, event_id: int) -> HttpResponse:
    """Propose what the code or the words of some evidence mean, once the effect was shown."""
    return _teach(request, *_subject(event_id))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(TEACHES, raise_exception=True)
def reading_teach_checked(request: Request) -> HttpResponse:
    """Propose what the words mean that the check of the platform got where it asked for an order that can't exist."""
    refusal = keeping.strange_words()
    if not refusal:
        raise Http404
    if live := Reading.objects.live().filter(refusal_code=refusal[0], words=refusal[1]).first():
        return redirect("reading_detail", live.pk)
    return _teach(request, None, refusal)


def _teach(request: Request, code: int | None, refusal: tuple[str, str]) -> HttpResponse:
    subject: dict[str, Any] = {"code": code, "refusal_code": refusal[0], "words": refusal[1]}
    asked = MeaningForm(request.GET or None, of_code=code is not None)
    form = ProposalForm(request.POST or None, of_code=code is not None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            reading = lessons.propose(**subject, actor=request.user, **said)
        except ServiceError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Proposed. It holds once another administrator has agreed."))
            return redirect("reading_detail", reading.pk)
    meaning = form.data.get("meaning") or (asked.is_valid() and asked.cleaned_data["meaning"]) or ""
    context = {**subject, "asked": asked, "form": form, "meaning": meaning}
    try:
        reading = lessons.made(**subject, meaning=meaning)
    except ServiceError as error:
        context |= {"refusal": str(error) if meaning else ""}
    else:
        context |= {"reading": reading, **_effect(reading)}
    context["default"] = "" if code is not None else readings.default_meaning(refusal[1])
    return render(request, "recharge/teaching/reading_teach.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.view_reading", raise_exception=True)
@factors.after_fresh_factor()
def reading_detail(request: Request, reading_id: int) -> HttpResponse:
    """Show something taught or proposed, and let another administrator decide about it."""
    people = Reading.objects.select_related("proposed_by", "decided_by", "removal_asked_by", "removed_by")
    reading = get_object_or_404(people, pk=reading_id)
    awaits, removal_awaits = reading.agreed is None, bool(reading.removal_asked_by and not reading.removed_at)
    decides = awaits or removal_awaits
    form = _form(request, DecisionForm if decides else RemovalForm)
    if request.method == "POST" and not request.user.has_perm(TEACHES):
        raise PermissionDenied
    if request.method == "POST" and _does(request, form, lambda: _carry_out(request, reading, form)):
        return redirect("reading_detail", reading.pk)
    if request.user.is_anonymous:
        return signed_out(request)
    refused = why_not(lambda: lessons.require_decider(reading, request.user)) if decides else ""
    context = {
        "reading": reading,
        "form": form,
        "awaits": awaits,
        "removal_awaits": removal_awaits,
        "why_not": refused,
        "holds": bool(reading.agreed and not reading.removed_at),
        **(_effect(reading) if awaits else {}),
        **(_effect_of_removal(reading) if reading.agreed and not reading.removed_at else {}),
    }
    return render(request, "recharge/teaching/reading_detail.html", context)


def _subject(event_id: int) -> tuple[int | None, tuple[str, str]]:
    """Return the code, or a refusal's code and words, that some evidence holds.

    Raises:
        Http404: it holds neither.
    """
    event = get_object_or_404(OrderEvent.objects.defer("raw"), pk=event_id)
    if event.verdict == Verdict.UNKNOWN_CODE:
        return event.reported_status, ("", "")
    refusal = readings.place_of(readings.refusal_of(event.note))
    if not refusal or event.verdict not in (Verdict.REJECTED, Verdict.OUTCOME_UNKNOWN):
        raise Http404
    return None, refusal


def _effect(reading: Reading) -> dict[str, Any]:
    return {**_shown(effects.effect_of(reading)), "risks": effects.risks(reading)}


def _effect_of_removal(reading: Reading) -> dict[str, Any]:
    """Words that are taken back do nothing to any order."""
    if reading.code is None:
        return {}
    return {**_shown(effects.effect_of_removal(reading)), "risks": effects.risks_of_removal()}


def _shown(found: effects.Effect) -> dict[str, Any]:
    return {
        "effect": found,
        "outcomes": [(count, OUTCOMES[outcome], outcome) for outcome, count in found.outcomes],
        "listed": [(order, OUTCOMES[outcome]) for order, outcome in found.listed],
    }


def _form(request: Request, kind: type[DecisionForm] | type[RemovalForm]) -> DecisionForm | RemovalForm:
    data = request.POST if request.method == "POST" else None
    return kind(data, needs_password=factors.needs_password(request))


def _carry_out(request: Request, reading: Reading, form: DecisionForm | RemovalForm) -> None:
    said = form.cleaned_data
    this: dict[str, Any] = {"reading_id": reading.pk, "actor": request.user}
    if isinstance(form, RemovalForm):
        lessons.ask_for_removal(**this, reason=said["reason"])
    elif reading.agreed is None:
        lessons.decide(**this, agrees=form.approves, orders_seen=said["proof_seen"], reason=said["reason"])
    else:
        lessons.decide_removal(**this, agrees=form.approves, orders_seen=said["proof_seen"], reason=said["reason"])


def _does(request: Request, form: DecisionForm | RemovalForm, carry_out: Callable[[], None]) -> bool:
    """Do what the form says, once the password is known to be right; else the form says what is wrong."""
    if not form.is_valid() or not _is_known(request, form):
        return False
    try:
        carry_out()
    except ServiceError as error:
        form.refuse(error)
        return False
    return True


def _is_known(request: Request, form: PasswordForm) -> bool:
    if "password" not in form.fields:
        return True
    if not password.verify(request, form.cleaned_data["password"]):
        form.refuse_password()
        return False
    form.accept_password()
    return True
