"""Numbers that were suspended after the money had arrived: a case for the desk, which may hold slow top-ups."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from recharge.choices import EventKind, MarkKind, Product
from recharge.core.errors import TooLate
from recharge.core.locking import lock
from recharge.fulfilment.services.transitions import Change
from recharge.limits.services import slow_hold
from recharge.models import Order
from recharge.status import Status


def can_be_reported(order: Order) -> bool:
    """Say whether the money of an order has arrived at a number, so that this may have been suspended since."""
    return order.product == Product.MOBILE and order.status == Status.SUCCEEDED


def may_hold(order: Order) -> bool:
    """Say whether a report about an order may hold slow top-ups: it was one of them."""
    return slow_hold.concerns(order)


def report(*, order_id: int, actor: User, note: str, hold_slow: bool = False) -> Order:
    """Note that the number of an order was suspended after the money had arrived; the order itself stays as it is.

    Args:
        order_id: the order's primary key.
        actor: the person.
        note: who says so, and what is known.
        hold_slow: whether no further slow top-up may be placed or go out until somebody releases that.

    Returns:
        The order, marked.

    Raises:
        TooLate: it has not succeeded, or is no top-up of a number.
    """
    with transaction.atomic(durable=True):
        order = lock(order_id)
        if not can_be_reported(order):
            raise TooLate(_("Only of a top-up that has succeeded can it be said that its number was suspended."))
        change = Change(order)
        change.mark(MarkKind.SUSPENDED)
        held = hold_slow and may_hold(order)
        if held:
            reason = _("Number of order %(number)s suspended: %(note)s") % {"number": order.order_no, "note": note}
            slow_hold.start(actor=actor, reason=reason, order=order)
        words = [note, _("Slow top-ups were held.") if held else ""]
        change.record(EventKind.SUSPENDED, actor=actor, note=" · ".join(filter(None, words)))
    return order
