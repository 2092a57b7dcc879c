"""The portal's own checks of its books, as tests ask them after every example: their statements compiled once."""

import datetime as dt
from collections.abc import Collection
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from recharge.books.services.invariants import CHECKS, Check
from recharge.models import Order


def broken(besides: Collection[str] = ()) -> dict[str, set[str]]:
    """Return what breaks each check that finds something.

    Args:
        besides: the names of checks that are not asked.
    """
    asked = [check for check in CHECKS if check.name not in besides]
    if not Order.objects.exists():
        asked = [check for check in asked if not check.by_order]
    found = {check.name: _find(check) for check in asked}
    return {name: rows for name, rows in found.items() if rows}


def _find(check: Check) -> set[str]:
    statement = _compiled(check)
    if statement is None:
        return set(check.find(Order.objects.all()))
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return {row[0] for row in cursor.fetchall()}


@cache
def _compiled(check: Check) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement of a check that is a single one and the same at any time; compiling takes longer than it."""
    found = check.find(Order.objects.all())
    if not isinstance(found, QuerySet):
        return None
    statement, parameters = found.query.sql_with_params()
    return None if any(isinstance(value, dt.date) for value in parameters) else (statement, parameters)
