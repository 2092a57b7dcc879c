"""Inserting many orders at once."""

from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter

from django.db import connection
from django.db.models import NOT_PROVIDED

from recharge.choices import EventKind, Submission
from recharge.core.events import record_of_all
from recharge.models import Batch, Order

VARYING = (
    "order_no",
    "mobile",
    "oil_card_id",
    "face_value",
    "speed",
    "switch_channel",
    "channel",
    "line",
    "note",
    "duplicate_reason",
    "replaces_id",
    "first_attempt_id",
    "carrier",
    "province",
    "ported",
    "known_from",
    "purpose",
    "reference",
)
"""The columns, numbers, texts and flags, in which the orders of a piece differ."""


def insert_orders(orders: list[Order]) -> None:
    """Insert some orders that are alike but for VARYING, in the caller's transaction.

    `bulk_create` sends each of more than fifty columns of every row as a parameter, and takes ten times as long.

    Args:
        orders: one at least; the other columns are taken from the first of them. They get no primary keys here.

    Raises:
        IntegrityError: the database refuses one of them; the caller's transaction must not go on.
    """
    alike = {
        str(field.column): field.get_db_prep_save(getattr(orders[0], field.attname), connection)
        for field in Order._meta.concrete_fields
        if field.attname not in VARYING and field.db_default is NOT_PROVIDED and not field.primary_key
    }
    alike = {column: value for column, value in alike.items() if value is not None}
    into = f"INSERT INTO {Order._meta.db_table} ({', '.join([*VARYING, *alike])})"
    rows = [attrgetter(*VARYING)(order) for order in orders]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_type_of(name)}[]" for name in VARYING)
            cursor.execute(
                f"{into} SELECT varying.*, {_places(alike)} FROM unnest({arrays}) varying",  # noqa: S608  (no values)
                [*alike.values(), *map(list, zip(*rows, strict=True))],
            )
        else:
            cursor.executemany(
                f"{into} VALUES ({_places(VARYING)}, {_places(alike)})", [(*row, *alike.values()) for row in rows]
            )


def record_placed(batch: Batch, orders: list[Order], warnings: Mapping[str, list[int]]) -> None:
    """Begin the history of orders that were just inserted, in the caller's transaction.

    Args:
        batch: theirs.
        orders: one at least, by their lines.
        warnings: what rules had to say about numbers that the batch's reason was given for, and the orders' lines.
    """
    placed = Order.objects.filter(batch=batch, line__range=(orders[0].line, orders[-1].line))
    record = partial(
        record_of_all,
        kind=EventKind.PLACED,
        actor=batch.made_by,
        submission_to=Submission(orders[0].submission),
        placed=True,
    )
    record(placed.exclude(line__in=[line for of_one in warnings.values() for line in of_one]))
    for warning, of_one in warnings.items():
        record(placed.filter(line__in=of_one), note=" · ".join(filter(None, [warning, batch.reason])))


def _places(names: Iterable[str]) -> str:
    return ", ".join("%s" for _ in names)


def _type_of(name: str) -> str:
    field = next(field for field in Order._meta.concrete_fields if field.attname == name)
    return str(field.db_type(connection)).partition("(")[0]  # without a length, to which a cast would cut texts
