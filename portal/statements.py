"""One row at a time, by statements that are composed once a process.

Several of them run for every order, and to compose one anew takes Django longer than the database takes to carry it
out. Only that is saved: the fields convert the values in both directions as ever, and the database forbids what it
always does. No signals are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError, connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row", bound=Model)


class _Reading(NamedTuple):
    sql: str
    names: list[str]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]


class _Writing(NamedTuple):
    sql: str
    fields: list[Field[Any, Any]]

    def values(self, row: Model) -> list[Any]:
        return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in self.fields]


def lock_row(model: type[Row], name: str, value: str | int) -> Row | None:
    """Read a row and keep others from changing it until the transaction ends.

    SQLite knows no row locks; there every transaction is IMMEDIATE and so alone from its beginning.

    Args:
        model: whose row it is.
        name: a unique field that holds numbers or texts.
        value: what the row has there.

    Returns:
        The row; None if there is none.

    Raises:
        TransactionManagementError: there is no transaction, so that nothing would be kept.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a row can be locked within a transaction only")
    reading = _reading(model, name)
    with connection.cursor() as cursor:
        cursor.execute(reading.sql, [value])
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for position, converters, column in reading.converters:
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    return model.from_db(connection.alias, reading.names, values)


def insert_row(row: Model) -> None:
    """Write a new row; its key, and what the database fills in, are not read back."""
    names = [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    given = tuple(name for name in names if not isinstance(getattr(row, name), DatabaseDefault))
    insertion = _insertion(type(row), given)
    with connection.cursor() as cursor:
        cursor.execute(insertion.sql, insertion.values(row))


def update_row(row: Model, names: Collection[str]) -> None:
    """Write some columns of a row.

    Args:
        row: holds a plain value for each of the columns, no expression.
        names: the columns, as the row's attributes are called.

    Raises:
        DatabaseError: the row is gone.
    """
    change = _change(type(row), tuple(names))
    with connection.cursor() as cursor:
        cursor.execute(change.sql, [*change.values(row), row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"the {row._meta.object_name} to be changed is gone")


@cache
def _reading(model: type[Model], name: str) -> _Reading:
    (field,) = _fields(model, (name,))
    rows = model._base_manager.select_for_update(of=("self",)).filter(**{name: field.to_python("0")}).order_by()
    compiler = rows.query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    columns: list[Any] = [column for column, *_ in compiler.select]
    return _Reading(
        sql,
        [column.target.attname for column in columns],
        [(position, *found) for position, found in compiler.get_converters(columns).items()],
    )


@cache
def _insertion(model: type[Model], names: tuple[str, ...]) -> _Writing:
    fields = _fields(model, names)
    places = ", ".join("%s" for _ in fields)
    columns = ", ".join(_quoted(field) for field in fields)
    return _Writing(f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})", fields)  # noqa: S608  (no values)


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> _Writing:
    fields = _fields(model, names)
    changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    key = _quoted(model._meta.pk)
    return _Writing(f"UPDATE {_table(model)} SET {changes} WHERE {key} = %s", fields)  # noqa: S608  (no values)


def _fields(model: type[Model], names: tuple[str, ...]) -> list[Field[Any, Any]]:
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _quoted(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
