"""Orders as rows of a sheet, for whoever may see what: read by key, a page at a time."""

from collections.abc import Iterator
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from portal.kit.database import release_connection
from portal.kit.wording import person
from recharge.core import phone_numbers, wording
from recharge.core.masking import hide_mobile, may_see
from recharge.models import Order, OrderQuerySet

PAGE = 2_000


def header() -> list[str]:
    """Return the titles of the columns."""
    return [
        _("Batch"),
        _("Line"),
        _("Order number"),
        _("Platform number"),
        _("Product"),
        _("Phone or card"),
        _("Face value"),
        _("Speed"),
        _("State"),
        _("Confirmed at"),
        _("Cost price"),
        _("Placed by"),
        _("Placed at"),
        _("Handed over at"),
        _("Settled at"),
        _("Platform's reason"),
        _("Note"),
        _("Carrier"),
        _("Province"),
        _("Ported"),
        _("Known from"),
        _("Purpose"),
        _("Customer's reference"),
    ]


def rows(orders: OrderQuerySet, viewer: User) -> Iterator[list[object]]:
    """Yield the orders as rows, oldest first, with what the viewer may see.

    No transaction spans two pages, and no connection is held while a page is written to somebody who reads slowly.
    """
    for order in in_pages(orders.with_people_and_cards()):
        yield row(order, viewer)


def in_pages(orders: OrderQuerySet) -> Iterator[Order]:
    """Yield orders, oldest first; no connection is held between two pages."""
    for page in _pages(orders):
        yield from page


def _pages(orders: OrderQuerySet) -> Iterator[list[Order]]:
    last = 0
    while page := list(orders.filter(pk__gt=last).order_by("pk")[:PAGE]):
        release_connection()
        yield page
        last = page[-1].pk


def row(order: Order, viewer: User) -> list[object]:
    """Return the cells of an order, in the columns of `header`."""
    return [
        order.batch_id,
        order.line,
        order.order_no,
        order.gateway_order_no,
        order.get_product_display(),
        target(order, viewer),
        order.face_value,
        order.get_speed_display(),
        str(wording.of_order(order).label),
        order.confirmed_at,
        _amount(order.cost_price),
        person(order.placed_by),
        order.placed_at,
        order.submitted_at,
        order.settled_at,
        hide_mobile(order.refusal or order.reason, order, viewer),
        hide_mobile(order.note, order, viewer),
        order.get_carrier_display(),
        order.province,
        "" if order.ported is None else _("yes") if order.ported else _("no"),
        order.get_known_from_display(),
        hide_mobile(order.purpose, order, viewer),
        hide_mobile(order.reference, order, viewer),
    ]


def target(order: Order, viewer: User) -> str:
    """Return the order's card by its short name, or its number in one piece, whole or masked."""
    if order.oil_card:
        return order.oil_card.short_name
    return order.mobile if may_see(order, viewer) else phone_numbers.masked(order.mobile)


def _amount(amount: Decimal | None) -> Decimal | None:
    """Leave out zeros at the end, which say nothing in a sheet."""
    return None if amount is None else amount.normalize()
