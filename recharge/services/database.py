"""Two small things that every service needs of the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now

from recharge.models import Order


def from_now(delay: dt.timedelta) -> ExpressionWrapper[Any]:
    """Return the moment after `delay`, by the database's clock: the only one that all machines share."""
    return ExpressionWrapper(Now() + Value(delay), output_field=DateTimeField())


def lock(order_id: int) -> Order:
    """Read the order and keep others from changing it until the transaction ends.

    SQLite knows no row locks; there every transaction is IMMEDIATE and so alone from its beginning.
    """
    return Order.objects.select_for_update(of=("self",)).get(pk=order_id)


def release_connection() -> None:
    """Give the connection back before a slow call, so that waiting for the platform holds none."""
    if not connection.in_atomic_block:
        connection.close()
