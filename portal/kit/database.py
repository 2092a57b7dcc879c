"""What services of every app need of the database: its clock, and giving the connection back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(delay: dt.timedelta) -> ExpressionWrapper[Any]:
    """Return the moment after `delay`, by the database's clock: the only one that all machines share."""
    return ExpressionWrapper(Now() + Value(delay), output_field=DateTimeField())


def release_connection() -> None:
    """Give the connection back before a slow call, so that waiting for the platform holds none."""
    if not connection.in_atomic_block:
        connection.close()


def now() -> dt.datetime:
    """Return the moment by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        moment = cursor.fetchone()[0]
    return moment if isinstance(moment, dt.datetime) else dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)


_NOW = {"postgresql": "SELECT clock_timestamp()", "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"}
