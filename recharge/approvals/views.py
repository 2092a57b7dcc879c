"""What awaits a second person, and what that person decides. Who placed it can look, but not decide."""

import random
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import password
from portal.accounts.views import signed_out
from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.choices import BatchState, Submission
from recharge.core.errors import ServiceError
from recharge.fulfilment.services import replacing
from recharge.limits.services import approval, spending
from recharge.models import Batch, Order, OrderQuerySet

from . import services as approving
from .forms import DecisionForm
from .tables import ApprovalTable

BATCHES_SHOWN = 50
FIRST_ORDERS = 3
RANDOM_ORDERS = 7
REPETITIONS = 5


@require_safe
@permission_required("recharge.approve_order", raise_exception=True)
def approval_list(request: Request) -> HttpResponse:
    """List what awaits approval: batches, the oldest first, and orders."""
    batches = list(Batch.objects.awaiting_approval().select_related("made_by").order_by("id")[:BATCHES_SHOWN])
    page = page_of(Order.objects.awaiting_approval().with_people_and_cards(), request)
    context = {"batches": batches, "page": page, "table": ApprovalTable(page.rows, viewer=request.user)}
    polling = bool(batches or page.rows)
    return render_live(
        request, "recharge/approvals/approval_list.html", "recharge/approvals/_approvals.html", context, polling=polling
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
def order_approve(request: Request, order_no: str) -> HttpResponse:
    """Approve or reject an order."""
    order = Order.objects.with_people_and_cards().filter(order_no=order_no).first()
    if order is None:
        return render(request, "recharge/orders/order_unknown.html", status=404)
    if order.batch_id:
        return redirect("batch_approve", order.batch_id)
    form = _form(request)

    def decide() -> None:
        act = approving.approve_order if form.approves else approving.disapprove_order
        act(order_id=order.pk, actor=request.user, reason=form.cleaned_data["reason"])

    if _decides(request, form, decide):
        _tell(request, form)
        return redirect("order_detail", order.order_no)
    if request.user.is_anonymous:
        return signed_out(request)
    order.refresh_from_db(fields=["submission"])
    context = {
        "order": order,
        "form": form,
        "awaits": order.submission == Submission.AWAITING_APPROVAL,
        "may_decide": approval.can_approve(order, request.user),
        "chain_notice": replacing.notice(order),
        "allowances": spending.allowances(order.placed_by),
    }
    return render(request, "recharge/approvals/approve_order.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
def batch_approve(request: Request, batch_id: int) -> HttpResponse:
    """Approve or reject a batch with all its orders."""
    batch = Batch.objects.select_related("made_by").filter(pk=batch_id).first()
    if batch is None:
        return render(request, "recharge/batches/batch_unknown.html", status=404)
    form = _form(request)

    def decide() -> None:
        act = approving.approve_batch if form.approves else approving.disapprove_batch
        act(batch_id=batch.pk, actor=request.user, reason=form.cleaned_data["reason"])

    if _decides(request, form, decide):
        _tell(request, form)
        return redirect("approval_list")
    if request.user.is_anonymous:
        return signed_out(request)
    batch.refresh_from_db(fields=["state"])
    context = {
        "batch": batch,
        "form": form,
        "awaits": batch.state == BatchState.AWAITING_APPROVAL,
        "may_decide": approval.can_approve(batch, request.user),
        "allowances": spending.allowances(batch.made_by),
        **_summary(batch),
    }
    return render(request, "recharge/approvals/approve_batch.html", context)


def _form(request: Request) -> DecisionForm:
    data = request.POST if request.method == "POST" else None
    return DecisionForm(data, needs_password=not password.is_fresh(request))


def _decides(request: Request, form: DecisionForm, decide: Callable[[], None]) -> bool:
    """Do what the form says, once the password is known to be right; else the form says what is wrong."""
    if not form.is_valid():
        return False
    if "password" in form.fields:
        if not password.verify(request, form.cleaned_data["password"]):
            form.refuse_password()
            return False
        form.accept_password()
    try:
        decide()
    except ServiceError as error:
        form.refuse(error)
        return False
    return True


def _tell(request: Request, form: DecisionForm) -> None:
    done = _("Approved: it is queued for the platform.") if form.approves else _("Rejected. Nothing was spent.")
    messages.success(request, done)


def _summary(batch: Batch) -> dict[str, Any]:
    """What an approver sees of a batch: its sum by value, its first orders, some by lot, and what was placed before."""
    orders = Order.objects.filter(batch=batch)
    by_value = orders.order_by("face_value").values("face_value").annotate(orders=Count("pk"), money=Sum("face_value"))
    shown = orders.with_people_and_cards()
    repetitions = orders.exclude(duplicate_reason="")
    return {
        "by_value": list(by_value),
        "first": list(shown.order_by("id")[:FIRST_ORDERS]),
        "sample": _by_lot(shown),
        "to_be_held": replacing.count_to_be_held(orders),
        "repetitions": repetitions.order_by().count(),
        "repeated": list(shown.exclude(duplicate_reason="").order_by("id")[:REPETITIONS]),
    }


def _by_lot(orders: OrderQuerySet) -> list[Order]:
    """Return some orders that nobody could foresee; their ids follow one another, since batches are made alone."""
    ids = orders.order_by("id").values_list("pk", flat=True)
    first, last = ids.first(), ids.last()
    if first is None or last is None:
        return []
    others = range(first + FIRST_ORDERS, last + 1)
    drawn = random.sample(others, min(RANDOM_ORDERS, len(others)))
    return list(orders.filter(pk__in=drawn).order_by("id"))
