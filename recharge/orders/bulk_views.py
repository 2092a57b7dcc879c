"""The same action for many orders: each is done by itself, by the service of the single one, and told row by row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from portal.web.actions import Action, Said
from portal.web.forms import MarkedForm
from portal.web.request import Request
from recharge.models import Order

from . import actions
from .forms import FindingForm
from .services import interventions

MOST_ORDERS = 500


class NothingForm(MarkedForm):
    """An action that needs no words."""


@dataclass(frozen=True, slots=True)
class BulkAction:
    """An action that may be done to many orders at once."""

    action: Action[Order]
    heading: str | Promise
    consequence: str | Promise
    button: str | Promise
    may: Callable[[Order], bool]
    why_not: str | Promise
    form: type[MarkedForm] = NothingForm


BULK = {
    "ask": BulkAction(
        actions.ask,
        _("Ask the platform about these orders?"),
        _("A query costs nothing. The platform is asked about an order at most once a minute."),
        _("Ask the platform now"),
        interventions.can_ask,
        _("has not been handed to the platform"),
    ),
    "withdraw": BulkAction(
        actions.withdraw,
        _("Withdraw these orders?"),
        _("They have not been sent yet. Once withdrawn they never will be, and nothing is spent."),
        _("Withdraw"),
        interventions.can_withdraw,
        _("is no longer queued"),
    ),
    "acknowledge": BulkAction(
        actions.acknowledge,
        _("Mark all of these as dealt with?"),
        _(
            "This closes all marks that they have now, and nothing else: it is no proof, so no order becomes one that "
            "can be placed again."
        ),
        _("Mark as dealt with"),
        lambda order: bool(order.open_marks),
        _("needs no attention"),
        FindingForm,
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the action for one order."""

    order: Order
    done: bool
    words: str | Promise


@require_POST
@permission_required("recharge.change_order", raise_exception=True)
def order_bulk(request: Request) -> HttpResponse:
    """Show what would be done to the orders that were chosen, and do it once that was confirmed.

    `order_no` is repeated, `action` names one of BULK, `confirmed` says that the first page was seen; `seen` is
    repeated with an order's number and the last event of it that was shown, divided by a colon.
    """
    bulk = BULK.get(request.POST.get("action", ""))
    if bulk is None:
        raise BadRequest("no such action")
    orders = _chosen(request)
    confirmed = "confirmed" in request.POST
    form = bulk.form(request.POST if confirmed else None)
    if orders and confirmed and form.is_valid():
        return _do_all(request, bulk, orders, form.cleaned_data)
    fit = [order for order in orders if bulk.may(order)]
    context = {
        "bulk": bulk,
        "name": request.POST["action"],
        "form": form,
        "orders": orders,
        "fit": fit,
        "left_out": [order for order in orders if not bulk.may(order)],
        "money": sum(order.face_value for order in fit),
    }
    return render(request, "recharge/orders/bulk_confirm.html", context)


def _do_all(request: Request, bulk: BulkAction, orders: list[Order], said: Said) -> HttpResponse:
    seen = _seen(request)
    results = [_do(bulk, order, {**said, "seen": seen.get(order.order_no, 0)}, request.user) for order in orders]
    context = {"heading": bulk.heading, "results": results, "done": sum(result.done for result in results)}
    return render(request, "recharge/orders/bulk_result.html", context)


def _chosen(request: Request) -> list[Order]:
    numbers = request.POST.getlist("order_no")
    if len(numbers) > MOST_ORDERS:
        raise BadRequest(f"more than {MOST_ORDERS} orders")
    wanted = [number.replace("\x00", "") for number in numbers]
    return list(Order.objects.with_people_and_cards().with_last_event().filter(order_no__in=wanted).order_by("-id"))


def _seen(request: Request) -> dict[str, int]:
    pairs = (text.partition(":") for text in request.POST.getlist("seen"))
    return {number: int(event) for number, _colon, event in pairs if event.isascii() and event.isdigit()}


def _do(bulk: BulkAction, order: Order, said: Said, actor: User) -> Result:
    if not bulk.may(order):
        return Result(order, done=False, words=bulk.why_not)
    room = bulk.action.room
    try:
        words = bulk.action.run(order, said, actor)
    except room.refusals as error:
        return Result(order, done=False, words=room.in_words(error, order, actor))
    return Result(order, done=True, words=cast(str, words))
