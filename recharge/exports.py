"""Orders as rows of a sheet, for whoever may see what: read by key, a page at a time."""

from collections.abc import Iterator
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from portal.database import release_connection

from . import mobile, outcomes
from .batch_preview import shown_target, shown_text
from .masking import hide_mobile, may_see
from .models import Batch, Order, OrderQuerySet
from .services.left_out import LeftOutLine, left_out_of

PAGE = 2_000


def header() -> list[str]:
    """Return the titles of the columns."""
    return [
        _("Batch"),
        _("Line"),
        _("Order number"),
        _("Platform number"),
        _("Product"),
        _("Recharged"),
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
    ]


def rows(orders: OrderQuerySet, viewer: User) -> Iterator[list[object]]:
    """Yield the orders as rows, oldest first, with what the viewer may see.

    No transaction spans two pages, and no connection is held while a page is written to somebody who reads slowly.
    """
    for page in _pages(orders.with_people_and_cards()):
        for order in page:
            yield _row(order, viewer)


def rows_of_batch(batch: Batch, viewer: User) -> Iterator[list[object]]:
    """Yield what became of every line of a batch's sheet: its orders, then the lines that none was made of."""
    yield from rows(Order.objects.filter(batch=batch), viewer)
    whole = may_see(Order(placed_by=batch.made_by), viewer)
    for line in left_out_of(batch):
        yield _row_left_out(batch, line, whole=whole)


def _pages(orders: OrderQuerySet) -> Iterator[list[Order]]:
    last = 0
    while page := list(orders.filter(pk__gt=last).order_by("pk")[:PAGE]):
        release_connection()
        yield page
        last = page[-1].pk


def _row(order: Order, viewer: User) -> list[object]:
    return [
        order.batch_id,
        order.line,
        order.order_no,
        order.gateway_order_no,
        order.get_product_display(),
        _target(order, viewer),
        order.face_value,
        order.get_speed_display(),
        str(outcomes.of_order(order).label),
        order.confirmed_at,
        _amount(order.cost_price),
        order.placed_by.get_username(),
        order.placed_at,
        order.submitted_at,
        order.settled_at,
        hide_mobile(order.refusal or order.reason, order, viewer),
        hide_mobile(order.note, order, viewer),
    ]


def _row_left_out(batch: Batch, line: LeftOutLine, *, whole: bool) -> list[object]:
    """Return the row of a line in the columns of `header`; of what it says, no more than may be seen."""
    known = {
        _("Batch"): batch.pk,
        _("Line"): line.line,
        _("Product"): batch.get_product_display(),
        _("Recharged"): shown_target(line.cells, whole=whole),
        _("Face value"): line.cells["face_value"],
        _("Speed"): line.cells["speed"],
        _("State"): _("Left out: %(problem)s") % {"problem": line.problem},
        _("Note"): shown_text(line.cells["note"], line.cells) if whole else "",
    }
    return [known.get(title) for title in header()]


def _target(order: Order, viewer: User) -> str:
    if order.oil_card:
        return order.oil_card.short_name
    return order.mobile if may_see(order, viewer) else mobile.masked(order.mobile)


def _amount(amount: Decimal | None) -> Decimal | None:
    """Leave out zeros at the end, which say nothing in a sheet."""
    return None if amount is None else amount.normalize()
