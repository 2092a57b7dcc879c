"""Replacements: whether what an order replaces is still proven to have spent nothing."""

from django.utils.translation import gettext as _

from recharge.choices import NOT_YET_SENT, EventKind, Submission
from recharge.models import PROVABLY_UNSPENT, Order, OrderQuerySet

from .transitions import ORIGINAL_UNSPENT, Change


def living_attempt(order: Order) -> Order | None:
    """Return another attempt of the order's chain that may have spent money, None where all others are proven not to.

    An order that replaces none, and that none replaces, is alone in its chain.
    """
    return Order.objects.attempts_like(order).exclude(PROVABLY_UNSPENT).order_by("id").first()


def with_living_original(orders: OrderQuerySet) -> OrderQuerySet:
    """Of some orders, the replacements of which another attempt may have spent money."""
    return orders.filter(replaces__isnull=False).exclude(ORIGINAL_UNSPENT)


def explain(living: Order) -> str:
    """Say why a replacement can't go out, for people."""
    return _("It replaces order %(number)s, which is alive after all: %(state)s.") % {
        "number": living.order_no,
        "state": living.get_status_display() if living.status is not None else living.get_submission_display(),
    }


def count_to_be_held(orders: OrderQuerySet) -> int:
    """Return how many replacements among some orders that wait would be held back, now."""
    return with_living_original(orders.filter(submission__in=NOT_YET_SENT)).order_by().count()


def notice(order: Order) -> str:
    """Say what people must know of the other attempts of an order's chain, on its page; "" where there is nothing."""
    if order.replaces_id and not order.is_provably_unspent and (living := living_attempt(order)):
        return explain(living)
    replaced_by = Order.objects.filter(replaces=order).first()
    if replaced_by and not order.is_provably_unspent:
        return _("It is alive after all, although order %(number)s was placed instead of it: %(state)s.") % {
            "number": replaced_by.order_no,
            "state": replaced_by.get_submission_display(),
        }
    return ""


def hold_if_original_lives(order: Order) -> bool:
    """Hold a queued replacement back where what it replaces came alive, in the caller's transaction.

    Args:
        order: the order, locked.

    Returns:
        Whether it was held back.
    """
    living = living_attempt(order) if order.replaces_id else None
    if living is None or order.submission != Submission.QUEUED:
        return False
    change = Change(order)
    change.hold()
    change.record(EventKind.HELD, note=explain(living))
    return True


def hold_all_with_living_original(orders: OrderQuerySet) -> int:
    """Hold back the queued ones of some orders whose originals came alive, in the caller's transaction.

    Returns:
        How many were held back.
    """
    waiting = with_living_original(orders.filter(submission=Submission.QUEUED))
    found = waiting.select_for_update(of=("self",)).order_by("id")
    return sum(hold_if_original_lives(order) for order in list(found))
