"""Deciding about many orders at once: each is decided by itself, by the service of the single one."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal.accounts import factors
from portal.accounts.views import signed_out
from portal.web.request import Request
from recharge.core.errors import ServiceError
from recharge.models import Order
from recharge.orders.bulk_views import Result, chosen

from . import services as approving
from .forms import DecisionForm
from .views import decides, decision_form


@require_POST
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
@factors.after_fresh_factor(page="approval_list")
def orders_decide(request: Request) -> HttpResponse:
    """Show the orders that were chosen with their sum, and decide about them once that was confirmed.

    `order_no` is repeated; `money_seen`, the sum that was shown in yuan, says that the first page was seen.
    """
    orders = chosen(request)
    shown = "money_seen" in request.POST
    as_shown = request.POST.get("money_seen") == str(_sum(orders))
    left_out = approving.left_out(orders, request.user)
    form = decision_form(request, sent=shown)
    results: list[Result] = []

    def decide() -> None:
        results.extend(_decide(order, form, request) for order in orders)

    if shown and as_shown and orders and decides(request, form, decide):
        return _tell(request, form, results)
    if request.user.is_anonymous:
        return signed_out(request)
    if shown and not as_shown:
        form.add_error(None, _("This isn't what was shown. Look at it once more."))
    fit = [order for order in orders if order.pk not in left_out]
    context = {
        "form": form,
        "orders": orders,
        "fit": fit,
        "money": _sum(fit),
        "left_out": [(order, left_out[order.pk]) for order in orders if order.pk in left_out],
    }
    return render(request, "recharge/approvals/decide_orders.html", context)


def _sum(orders: list[Order]) -> int:
    return sum(order.face_value for order in orders)


def _decide(order: Order, form: DecisionForm, request: Request) -> Result:
    """Decide about one of them; what changed since it was shown is looked at again."""
    if why_not := approving.left_out([order], request.user).get(order.pk):
        return Result(order, done=False, words=why_not)
    act = approving.approve_order if form.approves else approving.disapprove_order
    try:
        act(order_id=order.pk, actor=request.user, reason=form.cleaned_data["reason"])
    except ServiceError as error:
        return Result(order, done=False, words=str(error))
    return Result(order, done=True, words=_("Approved") if form.approves else _("Rejected"))


def _tell(request: Request, form: DecisionForm, results: list[Result]) -> HttpResponse:
    context = {
        "heading": _("Approve") if form.approves else _("Reject"),
        "results": results,
        "done": sum(result.done for result in results),
        "back": reverse("approval_list"),
    }
    return render(request, "recharge/orders/bulk_result.html", context)
