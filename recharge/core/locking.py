"""Reading an order that nobody else may change meanwhile."""

from typing import Any

from portal.kit.compiled_queries import lock_row, update_row
from recharge.models import Batch, Order


def lock(order_id: int) -> Order:
    """Read the order and keep others from changing it until the transaction ends.

    Raises:
        Order.DoesNotExist: there is none.
    """
    return _lock("id", order_id)


def lock_by_number(order_no: str) -> Order:
    """Do the same for the order with this number of ours."""
    return _lock("order_no", order_no)


def lock_batch(batch_id: int) -> Batch:
    """Read the batch likewise; workers that look at it don't wait for that."""
    return Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)


def remember(order: Order) -> dict[str, Any]:
    """Return the order's columns as they are now, for `save_changes`."""
    return dict(vars(order))


def save_changes(order: Order, before: dict[str, Any]) -> None:
    """Write what differs from `before`; of more than fifty columns hardly any does, and each one costs time."""
    changed = [name for name, value in vars(order).items() if value != before[name]]
    if changed:
        update_row(order, changed)


def _lock(name: str, value: str | int) -> Order:
    order = lock_row(Order, name, value)
    if order is None:
        raise Order.DoesNotExist
    return order
