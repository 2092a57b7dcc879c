"""Marking what was pushed under another account than the one that the settings name, and taking that back."""

from django.db import transaction
from django.utils.translation import gettext as _

from recharge.choices import EventKind, MarkKind
from recharge.core.locking import lock
from recharge.limits.services import accounts
from recharge.models import Order

from .scheduling import ask_at_once
from .transitions import Change

MARKED_AT_ONCE = 500


def keep_apart() -> None:
    """Mark the orders that are due for a query and belong to another account; ask about those that belong here again.

    They stay as they are meanwhile: the present account knows nothing of them, and its "no such order" proves nothing.
    """
    for some in (Order.objects.single(), Order.objects.in_batches()):  # an index each
        due = accounts.pushed_elsewhere(some.due_for_check())
        for order_id in due.values_list("pk", flat=True)[:MARKED_AT_ONCE]:
            _mark(order_id)
    marked = Order.objects.marked(MarkKind.OTHER_ACCOUNT).filter(accounts.of_current())
    for order_id in marked.values_list("pk", flat=True)[:MARKED_AT_ONCE]:
        _unmark(order_id)


def _mark(order_id: int) -> None:
    with transaction.atomic(durable=True):
        change = Change(lock(order_id))
        change.order.next_check_at = None
        change.mark(MarkKind.OTHER_ACCOUNT)
        change.record(EventKind.MARKED, note=_("It can't be asked about under the present account."))


def _unmark(order_id: int) -> None:
    with transaction.atomic(durable=True):
        change = Change(lock(order_id))
        change.answer(MarkKind.OTHER_ACCOUNT, _("the present account is the one that it was pushed under"))
        ask_at_once(change.order)
        change.record(EventKind.MARKED, note=_("It is asked about again."))
