"""Placing orders and looking at them. What a person may do with an order is in actions."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from oilcards.models import OilCard
from oilcards.services.availability import can_recharge
from portal.kit.secrecy import personal
from portal.web.fragments import render_live
from portal.web.paging import Page, page_of
from portal.web.request import Request
from recharge.choices import NOT_YET_SENT, Product, Submission
from recharge.core import phone_numbers, wording
from recharge.core.errors import ServiceError
from recharge.core.masking import hide_mobile, may_see
from recharge.core.wording import why_queued
from recharge.fulfilment.services import replacing
from recharge.limits.services import approval, slow_hold, spending
from recharge.models import Case, ClaimedOrder, Declaration, Order
from recharge.status import IN_PROGRESS, Status

from . import wording as outside
from .filters import OrderFilter, found_by_filter
from .forms import CardSearchForm, MobileOrderForm, OilOrderForm, OrderForm
from .services import declaring, interventions, placing, suspending
from .tables import ChoosableTable, OrderTable

CARDS_SHOWN = 8
JUST_PLACED = "just_placed"
"""In the session: the order whose page is to begin at its headline. Not in the address, which people pass on."""


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.add_order", raise_exception=True)
def order_new(request: Request) -> HttpResponse:
    """Place a mobile top-up. `?replaces=` names a dead order that it stands in for."""
    if request.method == "POST":
        return _place(request, MobileOrderForm(_sent(request)), placing.place_mobile_order)
    if "replaces" not in request.GET:
        return _show_form(request, MobileOrderForm())
    order = _replaced(request)
    if order is None:
        return unknown(request)
    if order.product == Product.OIL:
        return redirect(f"{reverse('order_new_oil')}?replaces={order.order_no}")
    return _show_form(request, MobileOrderForm(initial=_repeated_mobile(order, request)))


@require_http_methods(["GET", "HEAD", "POST"])
@personal
@permission_required(["recharge.add_order", "oilcards.view_oilcard"], raise_exception=True)
def order_new_oil(request: Request) -> HttpResponse:
    """Recharge an oil card: `?card=` names one, else it is searched for by a POST, for nobody to read in an address."""
    if request.method == "POST":
        if "find" not in request.POST:
            return _place(request, OilOrderForm(_sent(request)), placing.place_oil_order)
        if request.htmx:
            return render(
                request, "recharge/orders/_card_choice.html", _cards(request, OilOrderForm(initial=_kept(request)))
            )
        return _show_form(request, OilOrderForm(initial=_kept(request)))
    initial: dict[str, object] = {"oil_card": request.GET.get("card", "")}
    if "replaces" in request.GET:
        order = _replaced(request)
        if order is None or order.oil_card is None:
            return unknown(request)
        initial = {"oil_card": order.oil_card_id, "face_value": order.face_value, "speed": order.speed}
        initial |= {"replaces": order.order_no, "note": order.note}
        initial |= {"purpose": order.purpose, "reference": order.reference}
    return _show_form(request, OilOrderForm(initial={name: value for name, value in initial.items() if value != ""}))


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def order_list(request: Request) -> HttpResponse:
    """Find orders, newest first."""
    search = OrderFilter(request.GET, Order.objects.with_people_and_cards())
    orders = search.qs if search.is_valid() else Order.objects.none()
    by = "settled_at" if search.sorts_by_settling else "id"
    page, found = page_of(orders, request, by=by), found_by_filter(request, orders, by=by)
    shown: dict[str, Any] = {"viewer": request.user, "columns": _columns(request, search)}
    context = {
        "search": search,
        "page": page,
        "found": found,
        "table": ChoosableTable(page.rows, chosen=found, **shown),
    }
    return render_live(
        request, "recharge/orders/order_list.html", "recharge/orders/_orders.html", context, polling=any_open(page)
    )


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def order_detail(request: Request, order_no: str) -> HttpResponse:
    """Show an order, what is known of its fate, and everything that happened to it."""
    related = Order.objects.with_people_and_cards().select_related(
        "replaces", "replaced_by", "approved_by", "batch", "account"
    )
    order = related.filter(order_no=order_no).first()
    if order is None:
        return unknown(request)
    attempts = _attempts(order)
    context = {
        "order": order,
        "case": Case.objects.select_related("assignee").filter(pk=order.pk).first() if order.needs_a_person else None,
        "explanation": why_queued(order) or wording.explanation(order),
        "marks": wording.open_marks(order),
        "why_not_again": wording.why_not_again(order),
        "may_be_placed_again": wording.may_be_placed_again(order),
        "attempts": attempts,
        "claims": _claims(order),
        "declarations": _declarations(order),
        "can_declare": declaring.can_declare(order),
        "declarable_from": declaring.declarable_from(order) if order.submission == Submission.UNKNOWN else None,
        "chain_notice": replacing.notice(order),
        "events": order.events.select_related("actor"),
        "can_ask": interventions.can_ask(order),
        "can_be_looked_up": interventions.can_be_looked_up(order),
        "for_customer": outside.for_customer(order, attempts[-1] if attempts else None),
        "for_vendor": outside.for_vendor(order, request.user),
        "can_have_receipt": outside.can_have_receipt(order),
        "can_cancel": interventions.can_cancel(order),
        "can_withdraw": interventions.can_withdraw(order),
        "can_be_suspended": suspending.can_be_reported(order),
        "is_held": order.submission in NOT_YET_SENT and bool(slow_hold.why_held(order)),
        "can_approve": approval.can_approve(order, request.user),
        "just_placed": not request.htmx and request.session.pop(JUST_PLACED, "") == order.order_no,
    }
    return render_live(
        request,
        "recharge/orders/order_detail.html",
        "recharge/orders/_order.html",
        context,
        polling=order.settled_at is None,
    )


def _attempts(order: Order) -> list[Order]:
    """Return all attempts of an order's chain, none where it is the only one."""
    if not (order.replaces_id or hasattr(order, "replaced_by")):
        return []
    return list(Order.objects.in_chain_of(order).with_people_and_cards().select_related("approved_by", "proof"))


def _claims(order: Order) -> list[ClaimedOrder]:
    """Return in which claims of refunds an order is; only one of which money was owed can be in any."""
    if order.status in (None, Status.SUCCEEDED, *IN_PROGRESS):
        return []
    claims = list(order.claimed.select_related("claim"))
    for row in claims:
        row.order = order
    return claims


def _declarations(order: Order) -> list[Declaration]:
    """Return what was declared of an order; only of one that may have been lost can anything be."""
    if order.submission != Submission.UNKNOWN and not order.declared_at:
        return []
    return list(order.declarations.select_related("declared_by", "decided_by"))


def _place(request: Request, form: OrderForm, place: Callable[..., Order]) -> HttpResponse:
    """Place what the form says, or show it again with what is wrong."""
    if form.is_valid():
        try:
            order = place(placed_by=request.user, **form.cleaned_data)
        except ServiceError as error:
            form.refuse(error)
        else:
            request.session[JUST_PLACED] = order.order_no
            return redirect("order_detail", order.order_no)
    return _show_form(request, form)


def _show_form(request: Request, form: OrderForm) -> HttpResponse:
    if isinstance(form, OilOrderForm):
        return render(
            request, "recharge/orders/order_new_oil.html", {**_limits(request, form), **_cards(request, form)}
        )
    return render(request, "recharge/orders/order_new.html", {**_limits(request, form), "form": form})


def _limits(request: Request, form: OrderForm) -> dict[str, object]:
    """What is left of today's limits, and from where on a second person has to approve, if any value is above."""
    asks = any(approval.needs_approval(value) for value in form.face_values)
    return {
        "allowances": spending.allowances(request.user),
        "approval_above": settings.APPROVAL_ABOVE if asks else None,
    }


def _cards(request: Request, form: OilOrderForm) -> dict[str, object]:
    """What the choice of a card shows: the chosen one, else those found, else the newest."""
    search = CardSearchForm(request.POST)
    digits = search.cleaned_data["digits"] if search.is_valid() else ""
    chosen, usable = form.card, OilCard.objects.rechargeable()
    if chosen and "find" not in request.POST:
        cards = [chosen] if can_recharge(chosen) else []
    else:
        cards = list(usable.ending_with(digits)[:CARDS_SHOWN])
    return {
        "form": form,
        "search": search,
        "cards": cards,
        "chosen": chosen,
        "refused": chosen if chosen and not can_recharge(chosen) else None,
        "any_cards": bool(cards) or usable.exists(),
    }


def _sent(request: Request) -> Mapping[str, object]:
    return {**request.GET.dict(), **request.POST.dict()} if "replaces" in request.GET else request.POST


def _kept(request: Request) -> dict[str, object]:
    """What was filled in before a card was searched for."""
    names = ("oil_card", "face_value", "speed", "nonce", "replaces", "duplicate_reason", "duplicate_of", "note")
    return {name: request.POST[name] for name in (*names, "purpose", "reference") if request.POST.get(name)}


def _replaced(request: Request) -> Order | None:
    return Order.objects.filter(order_no=request.GET["replaces"].replace("\x00", "")).first()


def _columns(request: Request, search: OrderFilter) -> list[str]:
    """Return the columns that the address asks for; whoever asks what was settled sees when, unless he chose others."""
    asked = request.GET.getlist("columns")
    return asked or ([*OrderTable.usual(), "settled_at"] if search.sorts_by_settling else [])


def any_open(page: Page[Order]) -> bool:
    """Whether something on the page may still change by itself."""
    return any(order.settled_at is None for order in page.rows)


def unknown(request: Request) -> HttpResponse:
    """Say that there is no such order."""
    return render(request, "recharge/orders/order_unknown.html", status=404)


def _repeated_mobile(order: Order, request: Request) -> dict[str, object]:
    """The initial values of the form when a dead order is placed again."""
    return {
        "mobile": phone_numbers.grouped(order.mobile) if may_see(order, request.user) else "",
        "face_value": order.face_value,
        "speed": order.speed,
        "switch_channel": {None: "", True: "1", False: "0"}[order.switch_channel],
        "channel": order.channel,
        "replaces": order.order_no,
        "note": hide_mobile(order.note, order, request.user),
        "purpose": hide_mobile(order.purpose, order, request.user),
        "reference": hide_mobile(order.reference, order, request.user),
    }
