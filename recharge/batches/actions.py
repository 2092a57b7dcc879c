"""What a person may do with a batch: each deed is shown for confirmation first, and done by a POST."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from portal.web.request import Request
from recharge.batches.services.making import failed_orders, make_again
from recharge.choices import NOT_YET_SENT
from recharge.core.errors import Outdated, ServiceError
from recharge.core.forms import DAMAGED
from recharge.fulfilment.services.replacing import count_to_be_held
from recharge.models import Batch

from .forms import AgainForm, RemarkForm, ResumeForm
from .services import managing
from .views import unknown
from .wording import ADVICE

Deed = Callable[[Batch, dict[str, Any]], str]

WHY = gettext_lazy("Why? Everybody sees it in the history.")
WHAT_WAS_FOUND = gettext_lazy("What did you find, why may it go on?")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_batch", raise_exception=True)
def pause(request: Request, batch_id: int) -> HttpResponse:
    """Let no further order of the batch go out."""

    def deed(batch: Batch, said: dict[str, Any]) -> str:
        managing.pause(batch_id=batch.pk, actor=request.user, reason=said["reason"])
        return _("Paused. No further order goes out.")

    form = RemarkForm(_sent(request), label=WHY)
    return _confirm_or_do(request, batch_id, "recharge/batches/confirm_batch_pause.html", deed, form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_batch", raise_exception=True)
def resume(request: Request, batch_id: int) -> HttpResponse:
    """Let a paused batch go on."""

    def deed(batch: Batch, said: dict[str, Any]) -> str:
        managing.resume(batch_id=batch.pk, actor=request.user, last_seen=said["seen"], reason=said["reason"])
        return _("The batch goes on.")

    form = ResumeForm(_sent(request), label=WHAT_WAS_FOUND)
    return _confirm_or_do(request, batch_id, "recharge/batches/confirm_batch_resume.html", deed, form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_batch", raise_exception=True)
def withdraw(request: Request, batch_id: int) -> HttpResponse:
    """Take back what was not sent."""

    def deed(batch: Batch, said: dict[str, Any]) -> str:
        withdrawn = managing.withdraw_rest(batch_id=batch.pk, actor=request.user, reason=said["reason"])
        words = ngettext(
            "%(orders)s order was withdrawn. Nothing was spent on it.",
            "%(orders)s orders were withdrawn. Nothing was spent on them.",
            withdrawn,
        )
        return words % {"orders": f"{withdrawn:,}"}

    form = RemarkForm(_sent(request), label=WHY)
    return _confirm_or_do(request, batch_id, "recharge/batches/confirm_batch_withdraw.html", deed, form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.approve_order", raise_exception=True)
def skip_canary(request: Request, batch_id: int) -> HttpResponse:
    """Let all orders follow without waiting for the first ones."""

    def deed(batch: Batch, said: dict[str, Any]) -> str:
        managing.skip_canary(batch_id=batch.pk, actor=request.user)
        return _("All orders follow now.")

    form = forms.Form(_sent(request))
    return _confirm_or_do(request, batch_id, "recharge/batches/confirm_batch_skip.html", deed, form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.add_batch", raise_exception=True)
def make_anew(request: Request, batch_id: int) -> HttpResponse:
    """Make a new batch of the orders that are proven to have failed."""
    batch = _find(batch_id)
    if batch is None:
        return unknown(request)
    form = AgainForm(_sent(request))
    if form.is_bound and form.is_valid():
        try:
            new = make_again(batch_id=batch.pk, made_by=request.user, **form.cleaned_data)
        except ServiceError as error:
            form.refuse(error)
        else:
            return redirect("batch_detail", new.pk)
    elif form.is_bound:
        messages.error(request, DAMAGED)
        form = AgainForm()
    failed = failed_orders(batch).order_by().aggregate(orders=Count("pk"), money=Sum("face_value"))
    return render(
        request, "recharge/batches/confirm_batch_again.html", {"batch": batch, "form": form, "failed": failed}
    )


def _confirm_or_do(request: Request, batch_id: int, template: str, deed: Deed, form: forms.Form) -> HttpResponse:
    """Do it where a usable form was sent, and show in words what came of it; else show what would be done."""
    batch = _find(batch_id)
    if batch is None or not (form.is_bound and form.is_valid()):
        return _ask_to_confirm(request, batch, template, form)
    try:
        messages.success(request, deed(batch, form.cleaned_data))
    except Outdated as error:
        form.add_error(None, str(error))
        return _ask_to_confirm(request, _find(batch_id), template, form)
    except ServiceError as error:
        messages.error(request, str(error))
    return redirect("batch_detail", batch.pk)


def _ask_to_confirm(request: Request, batch: Batch | None, template: str, form: forms.Form) -> HttpResponse:
    if batch is None:
        return unknown(request)
    waiting = batch.orders.filter(submission__in=NOT_YET_SENT).order_by()
    left = waiting.aggregate(orders=Count("pk"), money=Sum("face_value"))
    advice = ADVICE.get(batch.brake, "")
    context = {"batch": batch, "form": form, "left": left, "advice": advice}
    return render(request, template, {**context, "to_be_held": count_to_be_held(batch.orders.all())})


def _find(batch_id: int) -> Batch | None:
    return Batch.objects.select_related("made_by").with_last_event().filter(pk=batch_id).first()


def _sent(request: Request) -> Any:
    return request.POST if request.method == "POST" else None
