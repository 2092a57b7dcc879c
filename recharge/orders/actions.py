"""What a person may do with an order: each deed is shown for confirmation first, and done by a POST."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.gateway import GatewayError, NotSent, Rejected
from portal.web.request import Request
from recharge.choices import MarkKind
from recharge.core import wording
from recharge.core.errors import Outdated, ServiceError
from recharge.core.masking import hide_mobile
from recharge.models import Order

from .forms import NoteForm
from .services import interventions


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_order", raise_exception=True)
def ask(request: Request, order_no: str) -> HttpResponse:
    """Ask the platform about the order, as soon as the spacing of queries allows."""

    def deed(order: Order) -> str:
        order = interventions.ask_now(order_id=order.pk, actor=request.user)
        at = formats.time_format(timezone.localtime(order.next_check_at), "H:i:s")
        return _("The platform is asked at %(time)s; the answer will appear here.") % {"time": at}

    return _confirm_or_do(request, order_no, "recharge/orders/confirm_ask.html", deed)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_order", raise_exception=True)
def cancel(request: Request, order_no: str) -> HttpResponse:
    """Ask the platform to cancel the order."""

    def deed(order: Order) -> str:
        interventions.cancel_at_platform(order_id=order.pk, actor=request.user)
        return _("The platform took the wish to cancel. Whether it can, only a later status tells.")

    return _confirm_or_do(request, order_no, "recharge/orders/confirm_cancel.html", deed)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_order", raise_exception=True)
def withdraw(request: Request, order_no: str) -> HttpResponse:
    """Take back an order that was not sent."""

    def deed(order: Order) -> str:
        interventions.withdraw(order_id=order.pk, actor=request.user)
        return _("Withdrawn. Nothing was spent.")

    return _confirm_or_do(request, order_no, "recharge/orders/confirm_withdraw.html", deed)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.change_order", raise_exception=True)
def acknowledge(request: Request, order_no: str) -> HttpResponse:
    """Mark what needed attention as dealt with, with a note."""
    order = _find(order_no)
    form = NoteForm(_sent(request), open_marks=order.marked_as if order else [])

    def deed(order: Order) -> str:
        said = form.cleaned_data
        interventions.acknowledge(
            order_id=order.pk,
            actor=request.user,
            note=said["note"],
            last_seen=said["seen"],
            kinds=[MarkKind(kind) for kind in said.get("marks", [])],
        )
        return _("Marked as dealt with.")

    return _confirm_or_do(request, order_no, "recharge/orders/confirm_acknowledge.html", deed, form)


def _confirm_or_do(
    request: Request, order_no: str, template: str, deed: Callable[[Order], str], form: forms.Form | None = None
) -> HttpResponse:
    """Do it where a usable form was sent, and show in words what came of it; else show what would be done."""
    order = _find(order_no)
    form = form or forms.Form(_sent(request))
    if order is None or not (form.is_bound and form.is_valid()):
        return _ask_to_confirm(request, order, template, form)
    try:
        messages.success(request, deed(order))
    except Outdated as error:
        form.add_error(None, str(error))
        return _ask_to_confirm(request, _find(order_no), template, form)
    except ServiceError as error:
        messages.error(request, str(error))
    except GatewayError as error:
        messages.error(request, hide_mobile(_in_words(error), order, request.user))
    return redirect("order_detail", order.order_no)


def _ask_to_confirm(request: Request, order: Order | None, template: str, form: forms.Form) -> HttpResponse:
    if order is None:
        return render(request, "recharge/orders/order_unknown.html", status=404)
    return render(request, template, {"order": order, "form": form, "marks": wording.open_marks(order)})


def _find(order_no: str) -> Order | None:
    return Order.objects.with_people_and_cards().with_last_event().filter(order_no=order_no).first()


def _sent(request: Request) -> Any:
    return request.POST if request.method == "POST" else None


def _in_words(error: GatewayError) -> str:
    if isinstance(error, Rejected):
        return _("The platform refused: %(message)s (code %(code)s)") % {"message": error.message, "code": error.code}
    if isinstance(error, NotSent):
        return _("The platform can't be reached. Nothing was sent; try again later.")
    return _("The platform gave no clear answer. The next query will tell what became of the order.")
