"""What awaits a second person, and what that person decides. Who placed it can look, but not decide."""

import random
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts import factors, password
from portal.accounts.views import signed_out
from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.batches.services.number_checks import check_of_batch
from recharge.batches.services.scheduling import AT_ONCE, schedule_of
from recharge.choices import BatchState, Submission
from recharge.core.errors import ServiceError, why_not
from recharge.fulfilment.services import replacing
from recharge.limits.services import accounts, spending
from recharge.models import AccountChange, Batch, Declaration, Order, OrderQuerySet, OtherWays
from recharge.orders.filters import found_by_filter
from recharge.orders.services import declaring

from . import services as approving
from .forms import DecisionForm
from .tables import ApprovalTable

BATCHES_SHOWN = 50
FIRST_ORDERS = 3
RANDOM_ORDERS = 7
REPETITIONS = 5

Check = Callable[[], None]


@require_safe
@permission_required("recharge.approve_order", raise_exception=True)
def approval_list(request: Request) -> HttpResponse:
    """List what awaits approval: batches, the oldest first, and orders."""
    batches = list(Batch.objects.awaiting_approval().select_related("made_by").order_by("id")[:BATCHES_SHOWN])
    orders = Order.objects.awaiting_approval().with_people_and_cards()
    page, found = page_of(orders, request), found_by_filter(request, orders.exclude(placed_by=request.user))
    declarations = list(Declaration.objects.waiting().select_related("declared_by", "order")[:BATCHES_SHOWN])
    wish = OtherWays.objects.filter(decided_at=None, account__fingerprint=accounts.fingerprint()).first()
    changes = AccountChange.objects.waiting().count() if request.user.has_perm("auth.change_user") else 0
    context = {"batches": batches, "declarations": declarations, "page": page, "other_ways": wish, "found": found}
    context["changes"] = changes
    context |= {"table": ApprovalTable(page.rows, viewer=request.user, chosen=found)}
    polling = bool(batches or declarations or page.rows)
    return render_live(
        request, "recharge/approvals/approval_list.html", "recharge/approvals/_approvals.html", context, polling=polling
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
@factors.after_fresh_factor()
def order_approve(request: Request, order_no: str) -> HttpResponse:
    """Approve or reject an order."""
    order = Order.objects.with_people_and_cards().filter(order_no=order_no).first()
    if order is None:
        return render(request, "recharge/orders/order_unknown.html", status=404)
    if order.batch_id:
        return redirect("batch_approve", order.batch_id)
    form = _form(request)

    def decide() -> None:
        reason = form.cleaned_data["reason"]
        if form.approves:
            seen = form.cleaned_data["proof_seen"]
            approving.approve_order(order_id=order.pk, actor=request.user, reason=reason, proof_seen=seen)
        else:
            approving.disapprove_order(order_id=order.pk, actor=request.user, reason=reason)

    if decides(request, form, decide):
        messages.success(request, _approved(order) if form.approves else _rejected(order))
        return redirect("approval_list")
    if request.user.is_anonymous:
        return signed_out(request)
    order.refresh_from_db(fields=["submission"])
    context = {
        "order": order,
        "form": form,
        "awaits": order.submission == Submission.AWAITING_APPROVAL,
        **_refusals(
            form,
            decide=lambda: approving.require_decider(order, request.user),
            approve=lambda: approving.require_approvable(order),
        ),
        "chain_notice": replacing.notice(order),
        "proofs": replacing.proofs(order),
        "allowances": spending.allowances(order.placed_by),
    }
    return render(request, "recharge/approvals/approve_order.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
@factors.after_fresh_factor()
def batch_approve(request: Request, batch_id: int) -> HttpResponse:
    """Approve or reject a batch with all its orders."""
    batch = Batch.objects.select_related("made_by").filter(pk=batch_id).first()
    if batch is None:
        return render(request, "recharge/batches/batch_unknown.html", status=404)
    form = _form(request)

    def decide() -> None:
        act = approving.approve_batch if form.approves else approving.disapprove_batch
        act(batch_id=batch.pk, actor=request.user, reason=form.cleaned_data["reason"])

    if decides(request, form, decide):
        done = _("Approved: it is queued for the platform.") if form.approves else _("Rejected. Nothing was spent.")
        messages.success(request, done)
        return redirect("approval_list")
    if request.user.is_anonymous:
        return signed_out(request)
    batch.refresh_from_db(fields=["state"])
    context = {
        "batch": batch,
        "form": form,
        "awaits": batch.state == BatchState.AWAITING_APPROVAL,
        "check": check_of_batch(batch),
        "schedule": str(schedule_of(batch)) if schedule_of(batch) != AT_ONCE else "",
        **_refusals(
            form,
            decide=lambda: approving.require_decider(batch, request.user),
            approve=lambda: approving.require_approvable(batch),
        ),
        "allowances": spending.allowances(batch.made_by),
        **_summary(batch),
    }
    return render(request, "recharge/approvals/approve_batch.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required("recharge.approve_order", raise_exception=True)
@factors.after_fresh_factor()
def declaration_decide(request: Request, declaration_id: int) -> HttpResponse:
    """Agree, or not, that the vendor confirms that an order never arrived."""
    found = Declaration.objects.select_related("declared_by", "decided_by").filter(pk=declaration_id).first()
    if found is None:
        return render(request, "recharge/orders/order_unknown.html", status=404)
    form = _form(request)

    def decide() -> None:
        said = form.cleaned_data
        declaring.decide(
            declaration_id=found.pk,
            actor=request.user,
            agrees=form.approves,
            last_seen=said["proof_seen"],
            reason=said["reason"],
        )

    order = Order.objects.with_people_and_cards().with_last_event().get(pk=found.order_id)
    if decides(request, form, decide):
        agreed = _("Agreed: order %(number)s counts as never arrived.")
        refused = _("Not agreed: order %(number)s stays as it is.")
        messages.success(request, (agreed if form.approves else refused) % {"number": order.order_no})
        return redirect("approval_list")
    if request.user.is_anonymous:
        return signed_out(request)
    context = {
        "order": order,
        "declaration": found,
        "form": form,
        "awaits": found.decided_at is None and order.submission == Submission.UNKNOWN,
        **_refusals(
            form,
            decide=lambda: declaring.require_decider(found, request.user),
            approve=lambda: declaring.require_declarable(order),
        ),
        "seen": cast(Any, order).last_event,
    }
    return render(request, "recharge/approvals/decide_declaration.html", context)


def _refusals(form: DecisionForm, *, decide: Check, approve: Check) -> dict[str, str]:
    """Say beforehand what the services would refuse, in their own words, and offer no more than they would do.

    Args:
        form: of which an approval that is not possible is taken out.
        decide: what makes sure that this person may decide.
        approve: what makes sure that it can be approved.
    """
    refused = why_not(decide)
    no_approval = "" if refused else why_not(approve)
    if no_approval:
        form.offer_rejection_alone()
    return {"why_not": refused, "why_no_approval": no_approval}


def _form(request: Request) -> DecisionForm:
    return decision_form(request, sent=request.method == "POST")


def decision_form(request: Request, *, sent: bool) -> DecisionForm:
    """Return the form of a decision, which asks for the password where it was typed too long ago.

    Args:
        request: of the approver.
        sent: whether the request brings a decision.
    """
    return DecisionForm(request.POST if sent else None, needs_password=factors.needs_password(request))


def decides(request: Request, form: DecisionForm, decide: Callable[[], None]) -> bool:
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


def _approved(order: Order) -> str:
    return _("Order %(number)s is approved and queued for the platform.") % {"number": order.order_no}


def _rejected(order: Order) -> str:
    return _("Order %(number)s is rejected. Nothing was spent.") % {"number": order.order_no}


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
