"""Pages to be printed: the evidence about orders, and the receipt of one that succeeded."""

from collections.abc import Collection

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.web.request import Request
from recharge.choices import PortalEventKind
from recharge.core import wording
from recharge.core.events import record_of_portal
from recharge.core.masking import may_see
from recharge.models import Order, OrderQuerySet

from .filters import chosen_numbers
from .views import unknown
from .wording import can_have_receipt


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def order_evidence(request: Request, order_no: str) -> HttpResponse:
    """Show all that is known of an order, to be printed; `?whole` shows its number to whoever may see it."""
    return _evidence(request, [order_no], whole="whole" in request.GET) or unknown(request)


@require_POST
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def orders_evidence(request: Request) -> HttpResponse:
    """Show the same of many orders; a POST, since so many numbers fit into no address."""
    shown = _evidence(request, chosen_numbers(request), whole="whole" in request.POST)
    if shown is None:
        messages.error(request, gettext("No order was chosen."))
        return redirect("order_list")
    return shown


def _evidence(request: Request, numbers: Collection[str], *, whole: bool) -> HttpResponse | None:
    orders = list(_with_history().filter(order_no__in=numbers).order_by("id"))
    if not orders:
        return None
    may_see_some = any(may_see(order, request.user) for order in orders if order.mobile)
    if whole and may_see_some:
        _note_whole(request, orders)
    context = {
        "papers": [(order, wording.explanation(order)) for order in orders],
        "masked": not whole,
        "may_see": may_see_some,
        "made_at": timezone.now(),
    }
    return render(request, "recharge/orders/evidence.html", context)


def _note_whole(request: Request, orders: list[Order]) -> None:
    """Write down that somebody had whole numbers shown, which are masked on paper otherwise."""
    only = orders[0] if len(orders) == 1 else ""
    record_of_portal(PortalEventKind.NUMBERS_SHOWN, actor=request.user, about=only, details={"orders": len(orders)})


def _with_history() -> OrderQuerySet:
    people = ("approved_by", "replaces", "replaced_by", "account")
    return Order.objects.with_people_and_cards().select_related(*people).prefetch_related("events__actor")


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def order_receipt(request: Request, order_no: str) -> HttpResponse:
    """Show a succeeded order as a customer may have it in writing; of any other there is none."""
    order = Order.objects.with_people_and_cards().filter(order_no=order_no).first()
    if order is None:
        return unknown(request)
    may, whole = bool(order.mobile) and may_see(order, request.user), "whole" in request.GET
    if whole and may:
        _note_whole(request, [order])
    context = {"order": order, "certain": can_have_receipt(order), "masked": not whole, "may_see": may}
    return render(request, "recharge/orders/receipt.html", context)
