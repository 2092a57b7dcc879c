"""Many orders at once, in SQL: every column that a caller doesn't name gets what the model would give it."""

from django.db.models import NOT_PROVIDED

from recharge.models import Order
from tests.known import known


def insert_orders(columns: dict[str, str], rows: str) -> str:
    """Return the statement that inserts orders.

    Args:
        columns: SQL expressions by the names of columns.
        rows: what follows FROM, such as `generate_series(1, 10) n`.
    """
    values = {**_defaults(), **columns}
    return f"INSERT INTO {Order._meta.db_table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {rows}"


def _defaults() -> dict[str, str]:
    required = [
        field
        for field in Order._meta.concrete_fields
        if not (field.primary_key or field.null or field.db_default is not NOT_PROVIDED)
    ]
    return {known(field.column): _literal(field.get_default()) for field in required}


def _literal(value: object) -> str:
    if value is None:
        return "NULL"  # the caller names it, or the database refuses the row
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"
