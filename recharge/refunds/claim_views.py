"""Claims of what the platform owes: made of chosen orders, handed over as text or sheet, followed to the end."""

import uuid
from decimal import Decimal

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from oilcards.models import SECRET_FIELDS
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.choices import ClaimOutcome
from recharge.core.errors import Outdated
from recharge.core.exporting import export
from recharge.models import ClaimedOrder, RefundClaim
from recharge.orders.filters import chosen_numbers

from . import exports
from .actions import unknown
from .forms import NewClaimForm
from .services import claiming
from .tables import ClaimedOrderTable, ClaimTable
from .wording import OUTCOMES


@require_POST
@permission_required("recharge.add_refundclaim", raise_exception=True)
def claim_new(request: Request) -> HttpResponse:
    """Show what would be claimed, and claim it once that was confirmed.

    `order_no` is repeated, `claimed` too: those that an open claim has, which `again` says are claimed once more.
    `seen` is repeated with what was shown of each order, see `claiming.as_seen`.
    """
    if "confirmed" not in request.POST or not request.POST.getlist("seen"):
        return _confirm(request, again="again" in request.POST)
    form = NewClaimForm(request.POST)
    if not form.is_valid():
        raise BadRequest("no nonce")
    seen = [text.replace("\x00", "") for text in request.POST.getlist("seen")]
    try:
        claim = claiming.claim(actor=request.user, seen=seen, nonce=form.cleaned_data["nonce"])
    except Outdated as error:
        # Whatever is in an open claim by now is left out, until somebody says again that he wants it.
        return _confirm(request, again=False, error=str(error))
    return redirect("claim_detail", claim.pk)


def _confirm(request: Request, *, again: bool, error: str = "") -> HttpResponse:
    choice = claiming.choose(chosen_numbers(request, "claimed"), again=again)
    context = {
        "choice": choice,
        "seen": [claiming.as_seen(order) for order in choice.fit],
        "twice": [order for order in choice.fit if order.open_claims],
        "nonce": uuid.uuid4(),
        "error": error,
    }
    return render(request, "recharge/refunds/claim_new.html", context)


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def claim_list(request: Request) -> HttpResponse:
    """Show all claims, the newest first, with what came of each."""
    page = page_of(RefundClaim.objects.select_related("made_by"), request)
    sums: dict[int, dict[ClaimOutcome, tuple[int, Decimal]]] = {}
    rows = ClaimedOrder.objects.filter(claim__in=[claim.pk for claim in page.rows])
    for claim, outcome, orders, money in rows.summed_up():
        sums.setdefault(claim, {})[outcome] = (orders, money)
    return render(
        request, "recharge/refunds/claim_list.html", {"page": page, "table": ClaimTable(page.rows, sums), "sums": sums}
    )


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def claim_detail(request: Request, claim_id: int) -> HttpResponse:
    """Show a claim, what came of each order, and the text for the vendor."""
    claim = RefundClaim.objects.select_related("made_by").filter(pk=claim_id).first()
    if claim is None:
        return unknown(request)
    rows = list(_rows_of(claim))
    still_open = [row for row in rows if row.outcome == ClaimOutcome.OPEN]
    context = {
        "claim": claim,
        "rows": rows,
        "still_open": still_open,
        "text": exports.text(claim, still_open, request.user),
        "outcomes": [(OUTCOMES[outcome], orders, money) for _, outcome, orders, money in claim.rows.summed_up()],
        "table": ClaimedOrderTable(rows, viewer=request.user),
    }
    return render(request, "recharge/refunds/claim_detail.html", context)


@require_safe
@never_cache
@permission_required("recharge.view_order", raise_exception=True)
def claim_sheet(request: Request, claim_id: int, kind: str) -> HttpResponseBase:
    """Download a claim with all of its orders, and what came of them."""
    claim = RefundClaim.objects.filter(pk=claim_id).first()
    if claim is None:
        return unknown(request)
    rows = exports.rows(list(_rows_of(claim)), request.user)
    return export(f"refund-claim-{claim.pk}", kind, exports.header(), rows, by=request.user, about=claim)


def _rows_of(claim: RefundClaim) -> QuerySet[ClaimedOrder]:
    secrets = (f"order__oil_card__{name}" for name in SECRET_FIELDS)
    return claim.rows.select_related("order__placed_by", "order__oil_card", "said_by").defer(*secrets).order_by("id")
