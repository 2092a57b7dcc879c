"""Reading an order that nobody else may change meanwhile."""

from recharge.models import Order


def lock(order_id: int) -> Order:
    """Read the order and keep others from changing it until the transaction ends.

    SQLite knows no row locks; there every transaction is IMMEDIATE and so alone from its beginning.
    """
    return Order.objects.select_for_update(of=("self",)).get(pk=order_id)
