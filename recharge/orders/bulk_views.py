"""The same action for many orders: each is done by itself, by the service of the single one, and told row by row."""

from dataclasses import dataclass
from typing import cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.web.actions import Said
from portal.web.request import Request
from recharge.models import Order

from .bulk import BULK, BulkAction
from .filters import chosen_numbers
from .forms import is_key


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the action for one order."""

    order: Order
    done: bool
    words: str | Promise


@require_POST
@permission_required("recharge.view_order", raise_exception=True)
def order_bulk(request: Request) -> HttpResponse:
    """Show what would be done to the orders that were chosen, and do it once that was confirmed.

    `order_no` is repeated, `action` names one of BULK, `confirmed` says that the first page was seen; `seen` is
    repeated with an order's number and the last event of it that was shown, divided by a colon.
    """
    bulk = BULK.get(request.POST.get("action", ""))
    if bulk is None:
        raise BadRequest("no such action")
    if not request.user.has_perm(bulk.action.permission):
        raise PermissionDenied
    orders = chosen(request)
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
        "back": _back(request),
    }
    return render(request, "recharge/orders/bulk_confirm.html", context)


def _do_all(request: Request, bulk: BulkAction, orders: list[Order], said: Said) -> HttpResponse:
    seen = _seen(request)
    results = [_do(bulk, order, {**said, "seen": seen.get(order.order_no, 0)}, request.user) for order in orders]
    context = {
        "heading": bulk.heading,
        "results": results,
        "done": sum(result.done for result in results),
        "back": _back(request),
    }
    return render(request, "recharge/orders/bulk_result.html", context)


def _back(request: Request) -> str:
    """Return the list that the orders were chosen in."""
    back = request.POST.get("back", "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else reverse("attention")


def chosen(request: Request) -> list[Order]:
    """Return the orders that were chosen in a list, newest first.

    Raises:
        BadRequest: more of them than may be done at once.
    """
    orders = Order.objects.with_people_and_cards().select_related("replaced_by").with_last_event()
    return list(orders.filter(order_no__in=chosen_numbers(request)).order_by("-id"))


def _seen(request: Request) -> dict[str, int]:
    pairs = (text.partition(":") for text in request.POST.getlist("seen"))
    return {number: int(event) for number, _colon, event in pairs if is_key(event)}


def _do(bulk: BulkAction, order: Order, said: Said, actor: User) -> Result:
    if not bulk.may(order):
        return Result(order, done=False, words=bulk.why_not)
    room = bulk.action.room
    try:
        words = bulk.action.run(order, said, actor)
    except room.refusals as error:
        return Result(order, done=False, words=room.in_words(error, order, actor))
    return Result(order, done=True, words=cast(str, words))
