"""One row at a time, by statements that are compiled once a process.

Several of them run for every order, and to compile one anew takes Django longer than the database takes to carry it
out. Only that is saved: the fields convert the values in both directions as ever, and the database forbids what it
always does. No signals are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DatabaseError, connection
from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import Query, UpdateQuery
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
    return None if found is None else _made(model, reading, found)


class CompiledQuery(Generic[Row]):
    """A query for one key that is compiled at its first run.

        due = CompiledQuery(lambda shop: Order.objects.filter(shop=shop).order_by("id"))
        order = due.lock_first(17)

    Args:
        query: makes the query set for a key, a whole number; it is called once.
        changes: what `change` sets.
    """

    _EXAMPLE = -7_202_611_250_001  # a key found nowhere else in any query

    def __init__(self, query: Callable[[int], QuerySet[Row]], **changes: Any) -> None:
        self._query = query
        self._changes = changes

    def lock_first(self, key: int) -> Row | None:
        """Return the first row that nobody else has locked, locked until the transaction ends; None if there is none.

        Raises:
            TransactionManagementError: there is no transaction, so that nothing would be kept.
        """
        if not connection.in_atomic_block:
            raise TransactionManagementError("a row can be locked within a transaction only")
        reading, parameters = self._reading
        with connection.cursor() as cursor:
            cursor.execute(reading.sql, self._with(key, parameters))
            found = cursor.fetchone()
        return None if found is None else _made(self._rows.model, reading, found)

    def number(self, key: int, name: str) -> int | None:
        """Return a column of whole numbers from the first row, None if there is none; locks nothing."""
        statement, parameters = self._numbers(name)
        with connection.cursor() as cursor:
            cursor.execute(statement, self._with(key, parameters))
            found = cursor.fetchone()
        return None if found is None else int(found[0])

    def change(self, key: int) -> int:
        """Make the changes and return the number of rows in which they were made."""
        statement, parameters = self._update
        with connection.cursor() as cursor:
            cursor.execute(statement, self._with(key, parameters))
            return int(cursor.rowcount)

    @cached_property
    def _rows(self) -> QuerySet[Row]:
        return self._query(self._EXAMPLE)

    @cached_property
    def _reading(self) -> tuple[_Reading, tuple[Any, ...]]:
        return _composed(self._rows.select_for_update(of=("self",), skip_locked=True)[:1])

    @cache  # noqa: B019  (the queries live as long as the process, or are kept in a cache themselves)
    def _numbers(self, name: str) -> tuple[str, tuple[Any, ...]]:
        return _statement(self._rows.order_by().values_list(name)[:1].query)

    @cached_property
    def _update(self) -> tuple[str, tuple[Any, ...]]:
        update: Any = self._rows.query.chain(UpdateQuery)
        update.add_update_values(self._changes)
        return _statement(update)

    def _with(self, key: int, parameters: tuple[Any, ...]) -> list[Any]:
        return [key if parameter == self._EXAMPLE else parameter for parameter in parameters]


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
    if not swap_row(row, names, {}):
        raise DatabaseError(f"the {row._meta.object_name} to be changed is gone")


def swap_row(row: Model, names: Collection[str], expected: Mapping[str, int | str]) -> bool:
    """Write some columns of a row if others are as they are expected to be: a compare-and-swap.

    Args:
        row, names: as in `update_row`.
        expected: plain numbers and texts by the names of columns.

    Returns:
        Whether they were, and the row was changed.
    """
    change = _change(type(row), tuple(names), tuple(expected))
    with connection.cursor() as cursor:
        cursor.execute(change.sql, [*change.values(row), row.pk, *expected.values()])
        return bool(cursor.rowcount)


@cache
def _reading(model: type[Model], name: str) -> _Reading:
    (field,) = _fields(model, (name,))
    rows = model._base_manager.select_for_update(of=("self",)).filter(**{name: field.to_python("0")}).order_by()
    reading, _ = _composed(rows)
    return reading


def _statement(query: Query) -> tuple[str, tuple[Any, ...]]:
    statement, parameters = query.get_compiler(connection=connection).as_sql()
    return statement, tuple(parameters)


def _composed(rows: QuerySet[Any]) -> tuple[_Reading, tuple[Any, ...]]:
    compiler = rows.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    columns: list[Any] = [column for column, *_ in compiler.select]
    converters = [(position, *found) for position, found in compiler.get_converters(columns).items()]
    return _Reading(sql, [column.target.attname for column in columns], converters), parameters


def _made(model: type[Row], reading: _Reading, found: Sequence[Any]) -> Row:
    values = list(found)
    for position, converters, column in reading.converters:
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    return model.from_db(connection.alias, reading.names, values)


@cache
def _insertion(model: type[Model], names: tuple[str, ...]) -> _Writing:
    fields = _fields(model, names)
    places = ", ".join("%s" for _ in fields)
    columns = ", ".join(_quoted(field) for field in fields)
    return _Writing(f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})", fields)  # noqa: S608  (no values)


@cache
def _change(model: type[Model], names: tuple[str, ...], expected: tuple[str, ...]) -> _Writing:
    fields = _fields(model, names)
    changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    conditions = " AND ".join(f"{_quoted(field)} = %s" for field in [model._meta.pk, *_fields(model, expected)])
    return _Writing(f"UPDATE {_table(model)} SET {changes} WHERE {conditions}", fields)  # noqa: S608  (no values)


def _fields(model: type[Model], names: tuple[str, ...]) -> list[Field[Any, Any]]:
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _quoted(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
