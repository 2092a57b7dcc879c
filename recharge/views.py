"""Placing orders and looking at them. What a person may do with an order is in intervention_views."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import mobile as numbers
from . import outcomes
from .filters import OrderFilter
from .forms import MobileForm, OrderForm
from .fragments import render_live
from .models import Order
from .pages import page_of
from .services import interventions, placing
from .services.errors import ServiceError
from .tables import AttentionTable, OrderTable


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("recharge.add_order", raise_exception=True)
def order_new(request: HttpRequest) -> HttpResponse:
    """Place a mobile top-up. `?replaces=` names a dead order that it stands in for."""
    if request.method != "POST":
        replaced = request.GET.get("replaces")
        if replaced is None:
            return _show_form(request, OrderForm())
        order = Order.objects.filter(order_no=replaced.replace("\x00", "")).first()
        return _show_form(request, OrderForm(initial=_repeated(order, request))) if order else _unknown(request)
    form = OrderForm({**request.GET.dict(), **request.POST.dict()} if "replaces" in request.GET else request.POST)
    if form.is_valid():
        try:
            order = placing.place_mobile_order(placed_by=request.user, **form.cleaned_data)
        except ServiceError as error:
            form.refuse(error)
        else:
            return redirect("order_detail", order.order_no)
    return _show_form(request, form)


@require_POST
@permission_required("recharge.add_order", raise_exception=True)
def mobile_hint(request: HttpRequest) -> HttpResponse:
    """Say whose number it is while it is typed; a POST, so that no number gets into an address or a log."""
    form = MobileForm(request.POST)
    typed = form.cleaned_data["mobile"] if form.is_valid() else ""
    context: dict[str, object] = {}
    try:
        number = numbers.normalize(typed)
    except numbers.InvalidMobile as error:
        # Half a number is no mistake yet.
        if len([character for character in typed if character.isdigit()]) >= 11:
            context["error"] = str(error)
    else:
        context = {"mobile": numbers.grouped(number), "hint": numbers.hint(number)}
    return render(request, "recharge/_mobile_hint.html", context)


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def order_list(request: HttpRequest) -> HttpResponse:
    """Find orders, newest first."""
    search = OrderFilter(request.GET, Order.objects.select_related("placed_by"))
    orders = search.qs if search.is_valid() else Order.objects.none()
    page = page_of(orders, request)
    context = {"search": search, "page": page, "table": OrderTable(page.orders, viewer=request.user)}
    return render_live(request, "recharge/order_list.html", "recharge/_orders.html", context, polling=page.has_open)


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def attention(request: HttpRequest) -> HttpResponse:
    """List the orders that need a person, why, and what to do."""
    page = page_of(Order.objects.needing_attention().select_related("placed_by"), request)
    context = {"page": page, "table": AttentionTable(page.orders, viewer=request.user)}
    return render_live(request, "recharge/attention.html", "recharge/_orders.html", context, polling=page.has_open)


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def order_detail(request: HttpRequest, order_no: str) -> HttpResponse:
    """Show an order, what is known of its fate, and everything that happened to it."""
    related = Order.objects.select_related("placed_by", "replaces", "replaced_by")
    order = related.filter(order_no=order_no).first()
    if order is None:
        return _unknown(request)
    context = {
        "order": order,
        "outcome": outcomes.of_order(order),
        "advice": outcomes.ADVICE.get(order.attention, ""),
        "events": order.events.select_related("actor"),
        "can_ask": interventions.can_ask(order),
        "can_cancel": interventions.can_cancel(order),
        "can_withdraw": interventions.can_withdraw(order),
    }
    return render_live(
        request, "recharge/order_detail.html", "recharge/_order.html", context, polling=order.settled_at is None
    )


def _show_form(request: HttpRequest, form: OrderForm) -> HttpResponse:
    return render(request, "recharge/order_new.html", {"form": form})


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "recharge/order_unknown.html", status=404)


def _repeated(order: Order, request: HttpRequest) -> dict[str, object]:
    """What the form holds at first when a dead order is placed again."""
    sees_number = request.user.has_perm("recharge.see_numbers") or order.placed_by_id == request.user.pk
    return {
        "mobile": numbers.grouped(order.mobile) if sees_number else "",
        "face_value": order.face_value,
        "speed": order.speed,
        "switch_channel": {None: "", True: "1", False: "0"}[order.switch_channel],
        "channel": order.channel,
        "replaces": order.order_no,
    }
