import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.management.color import Style
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.postgresql.operations import DatabaseOperations as PostgreSQLOperations
from django.db.models.sql.compiler import SQLUpdateCompiler
from hypothesis import settings as hypothesis_settings

from portal.kit.append_only import open_to_change
from recharge.limits.services import number_limits, restore_guard
from recharge.models import NumberRule
from recharge.numbers.services import judging as numbers
from tests import databases

# How long an example takes tells of what else the machine does.
hypothesis_settings.register_profile("portal", deadline=None)
hypothesis_settings.load_profile("portal")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite alone where the database is another one."""
    if connection.vendor == "sqlite":
        return
    only_there = [item for item in items if item.get_closest_marker("sqlite")]
    config.hook.pytest_deselected(items=only_there)
    items[:] = [item for item in items if item not in only_there]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Copy a migrated database; put SQLite's into a file where other processes must reach it: TEST_DATABASE_FILE."""
    database = settings.DATABASES["default"]
    if os.environ.get("TEST_DATABASE_FILE") and "sqlite" in database["ENGINE"]:
        database["TEST"]["NAME"] = str(Path(tmp_path_factory.mktemp("database")) / "test.sqlite3")
    databases.begin_with_copy(pytestconfig)


@pytest.fixture(autouse=True, scope="session")
def _history_may_be_emptied() -> Iterator[None]:
    """The tables are emptied after a test that commits; the database refuses that to everybody else.

    PostgreSQL deletes rows instead of making a hundred tables anew, for which it takes as long as for the test.
    """
    empty = BaseDatabaseOperations.execute_sql_flush

    def empty_history_too(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        with open_to_change(connection):
            empty(operations, statements)

    def delete(operations: PostgreSQLOperations, style: Style, tables: list[str], **_: bool) -> list[str]:
        return [
            "SET LOCAL session_replication_role = replica; " + "; ".join(f'DELETE FROM "{name}"' for name in tables)
        ]

    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "postgresql":
            patch.setattr(PostgreSQLOperations, "sql_flush", delete)
        else:
            patch.setattr(BaseDatabaseOperations, "execute_sql_flush", empty_history_too)
        yield


@pytest.fixture(autouse=True, scope="session")
def _updates_read_one_table() -> Iterator[None]:
    """Of a table that it joins, an UPDATE on PostgreSQL that had to wait sees what was there before: two could win."""
    prepare = SQLUpdateCompiler.pre_sql_setup

    def prepare_alone(compiler: SQLUpdateCompiler) -> None:
        compiler.query.get_initial_alias()
        assert compiler.query.count_active_tables() == 1, f"this UPDATE joins tables: {compiler.query}"
        prepare(compiler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLUpdateCompiler, "pre_sql_setup", prepare_alone)
        yield


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Each test has a database of its own, of which this process remembers nothing yet."""
    restore_guard._seen.forget()
    cache.clear()


@pytest.fixture(autouse=True)
def _number_rules(request: pytest.FixtureRequest) -> None:
    """Each test begins with the rules of the migration, which tests without a transaction leave behind empty."""
    numbers.forget()
    number_limits.forget()
    marker = request.node.get_closest_marker("django_db")
    if {"transactional_db", "live_server"} & {*request.fixturenames} or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
        if not NumberRule.objects.exists():
            import_module("recharge.migrations.0025_numbers_rules").seed(apps, None)
