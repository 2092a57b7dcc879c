"""The database itself refuses to change or delete history: triggers on the table of every `AppendOnly` model.

They are made after every `migrate`, since SQLite loses those of a table that a migration makes anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .history import AppendOnly

REFUSAL = "history is never changed or deleted"
MADE_WITHIN = "5s"
"""How long PostgreSQL waits for the writers of a table; others would wait behind it."""

FUNCTION = f"""
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
POSTGRESQL = """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
SQLITE = """
    CREATE TRIGGER {table}_append_only_{event} BEFORE {event} ON {table}
    BEGIN SELECT RAISE(ABORT, '{refusal}: {event} on {table}'); END
"""
SQLITE_INSERT = """
    CREATE TRIGGER {table}_append_only_INSERT BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
    BEGIN SELECT RAISE(ABORT, '{refusal}: INSERT over a row on {table}'); END
"""
"""REPLACE deletes what it replaces without a DELETE that a trigger would see."""
EVENTS = ("UPDATE", "DELETE", "INSERT")

EXISTING = {
    "postgresql": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgenabled IN ('O', 'A') AND c.relnamespace = current_schema()::regnamespace
    """,
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
}


def tables() -> list[str]:
    """Return the tables that hold history."""
    return sorted(_models())


def unprotected(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the tables of history that exist and can be changed."""
    with connection.cursor() as cursor:
        existing = {*connection.introspection.table_names(cursor)}
        cursor.execute(EXISTING[connection.vendor])
        found = {tuple(row) for row in cursor.fetchall()}
    return [table for table in tables() if table in existing and not _triggers(connection, table) <= found]


def protect(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Make the triggers that are missing. Runs after every `migrate`."""
    connection = connections[using]
    missing = unprotected(connection)
    if not missing:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(FUNCTION)
            cursor.execute(f"SET lock_timeout = '{MADE_WITHIN}'")
        for table in missing:
            for statement in _statements(connection, table):
                cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("RESET lock_timeout")


@contextmanager
def open_to_change(connection: BaseDatabaseWrapper, *models: type[AppendOnly]) -> Iterator[None]:
    """Let the history in some tables be changed within, or all history: for migrations that have to, and for tests."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING[connection.vendor])
        found = {tuple(row) for row in cursor.fetchall()}
        for table in [model._meta.db_table for model in models] or tables():
            for _table, name in sorted(_triggers(connection, table) & found):
                of_table = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER {name}{of_table}")
    try:
        yield
    finally:
        protect(using=connection.alias)


def _triggers(connection: BaseDatabaseWrapper, table: str) -> set[tuple[str, str]]:
    names = ["append_only"] if connection.vendor == "postgresql" else [f"{table}_append_only_{e}" for e in EVENTS]
    return {(table, name) for name in names}


def _statements(connection: BaseDatabaseWrapper, table: str) -> Iterator[str]:
    if connection.vendor == "postgresql":
        yield f"DROP TRIGGER IF EXISTS append_only ON {table}"
        yield POSTGRESQL.format(table=table)
        return
    for event in EVENTS:
        yield f"DROP TRIGGER IF EXISTS {table}_append_only_{event}"
        statement = SQLITE_INSERT if event == "INSERT" else SQLITE
        yield statement.format(table=table, event=event, refusal=REFUSAL, same=_same(connection, table))


def _same(connection: BaseDatabaseWrapper, table: str) -> str:
    """Return when a row stands where the new one would: by its id, or by anything else that is unique."""
    options = _models()[table]._meta
    columns = {field.name: connection.ops.quote_name(str(field.column)) for field in options.concrete_fields}
    key = columns[options.pk.name]
    unique = [[field.name] for field in options.concrete_fields if field.unique and not field.primary_key]
    unique += [[*constraint.fields] for constraint in options.total_unique_constraints]
    # To a trigger a row that is to get its id has -1, as a row may have that somebody put there.
    alternatives = [f"NEW.{key} > 0 AND {key} = NEW.{key}"]
    for names in unique:
        alternatives.append(" AND ".join(f"{columns[name]} = NEW.{columns[name]}" for name in names))
    return " OR ".join(alternatives)


def _models() -> dict[str, type[AppendOnly]]:
    return {model._meta.db_table: model for model in apps.get_models() if issubclass(model, AppendOnly)}
