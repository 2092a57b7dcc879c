"""Placing orders and looking at them. What a person may do with an order is in actions."""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oilcards.models import OilCard
from oilcards.services.availability import can_recharge
from portal.kit.secrecy import personal
from portal.web.fragments import render_live
from portal.web.paging import Page, page_of
from portal.web.request import Request
from recharge.choices import Product
from recharge.core import phone_numbers, wording
from recharge.core.errors import ServiceError
from recharge.core.masking import hide_mobile, may_see
from recharge.core.wording import why_queued
from recharge.fulfilment.services import replacing
from recharge.limits.services import approval, spending
from recharge.models import Order

from .filters import OrderFilter
from .forms import CardSearchForm, MobileForm, MobileOrderForm, OilOrderForm, OrderForm
from .services import interventions, placing
from .tables import OrderTable

CARDS_SHOWN = 8


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
    return _show_form(request, OilOrderForm(initial={name: value for name, value in initial.items() if value != ""}))


@require_POST
@permission_required("recharge.add_order", raise_exception=True)
def mobile_hint(request: Request) -> HttpResponse:
    """Say whose number it is while it is typed; a POST, so that no number gets into an address or a log."""
    form = MobileForm(request.POST)
    typed = form.cleaned_data["mobile"] if form.is_valid() else ""
    context: dict[str, object] = {}
    try:
        number = phone_numbers.normalize(typed)
    except phone_numbers.InvalidMobile as error:
        # Half a number is no mistake yet.
        if len([character for character in typed if character.isdigit()]) >= 11:
            context["error"] = str(error)
    else:
        context = {"mobile": phone_numbers.grouped(number), "hint": phone_numbers.hint(number)}
    return render(request, "recharge/orders/_mobile_hint.html", context)


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def order_list(request: Request) -> HttpResponse:
    """Find orders, newest first."""
    search = OrderFilter(request.GET, Order.objects.with_people_and_cards())
    orders = search.qs if search.is_valid() else Order.objects.none()
    page = page_of(orders, request)
    context = {"search": search, "page": page, "table": OrderTable(page.rows, viewer=request.user)}
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
    context = {
        "order": order,
        "explanation": why_queued(order) or wording.of_order(order).explanation,
        "marks": wording.open_marks(order),
        "why_not_again": wording.why_not_again(order),
        "chain_notice": replacing.notice(order),
        "events": order.events.select_related("actor"),
        "can_ask": interventions.can_ask(order),
        "can_be_looked_up": interventions.can_be_looked_up(order),
        "for_customer": wording.for_customer(order),
        "can_cancel": interventions.can_cancel(order),
        "can_withdraw": interventions.can_withdraw(order),
        "can_approve": approval.can_approve(order, request.user),
    }
    return render_live(
        request,
        "recharge/orders/order_detail.html",
        "recharge/orders/_order.html",
        context,
        polling=order.settled_at is None,
    )


def _place(request: Request, form: OrderForm, place: Callable[..., Order]) -> HttpResponse:
    """Place what the form says, or show it again with what is wrong."""
    if form.is_valid():
        try:
            order = place(placed_by=request.user, **form.cleaned_data)
        except ServiceError as error:
            form.refuse(error)
        else:
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
    return {name: request.POST[name] for name in names if request.POST.get(name)}


def _replaced(request: Request) -> Order | None:
    return Order.objects.filter(order_no=request.GET["replaces"].replace("\x00", "")).first()


def any_open(page: Page[Order]) -> bool:
    """Whether something on the page may still change by itself."""
    return any(order.settled_at is None for order in page.rows)


def unknown(request: Request) -> HttpResponse:
    """Say that there is no such order."""
    return render(request, "recharge/orders/order_unknown.html", status=404)


def _repeated_mobile(order: Order, request: Request) -> dict[str, object]:
    """What the form holds at first when a dead order is placed again."""
    return {
        "mobile": phone_numbers.grouped(order.mobile) if may_see(order, request.user) else "",
        "face_value": order.face_value,
        "speed": order.speed,
        "switch_channel": {None: "", True: "1", False: "0"}[order.switch_channel],
        "channel": order.channel,
        "replaces": order.order_no,
        "note": hide_mobile(order.note, order, request.user),
    }
