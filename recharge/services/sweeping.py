"""Finding what is due: the safety net under lost messages and dead workers."""

import datetime as dt

from oilcards.services.handing import expire_leases as expire_card_leases
from portal.database import from_now
from recharge.models import Order, OrderQuerySet

from . import queue
from .submission import expire_lease

AT_A_TIME = 500
AGAIN_AFTER = dt.timedelta(seconds=60)
"""When an order whose message seems to be lost is sent to a worker again."""


def sweep() -> None:
    """Give up on expired leases and send what is due to the workers; harmless however often it runs."""
    expire_card_leases()
    for order_id in Order.objects.with_expired_lease().values_list("pk", flat=True)[:AT_A_TIME]:
        expire_lease(order_id=order_id)
    _send(queue.SUBMIT, Order.objects.due_for_submission(), "next_push_at")
    _send(queue.CHECK, Order.objects.due_for_check(), "next_check_at")


def _send(task: str, due: OrderQuerySet, column: str) -> None:
    orders = list(due.values_list("pk", flat=True)[:AT_A_TIME])
    # The moment moves only where it still stands, so that it never comes back to a row that was dealt with.
    due.model._default_manager.filter(pk__in=orders, **{f"{column}__isnull": False}).update(
        **{column: from_now(AGAIN_AFTER)}
    )
    for order_id in orders:
        queue.send(task, order_id)
