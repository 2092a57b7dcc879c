"""A migrated database that every process of tests copies: one piece of code's migrations are run once on a machine.

It lies in pytest's cache, on PostgreSQL beside the tests' databases, and is named for all code of the product and all
that is installed: whoever changes anything gets a new one. `--cache-clear` forgets it.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings
from django.db.backends.signals import connection_created
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
APPS = ("portal", "recharge", "oilcards")
PREFIX = "migrated_"
LOCK = 7_202_611_291


def begin_with_copy(config: pytest.Config) -> None:
    """Let Django make the test database as a copy of the migrated one, made first where there is none yet."""
    if not config.pluginmanager.hasplugin("cacheprovider"):  # switched off by -p no:cacheprovider
        return
    assert config.cache
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        _copy_into_sqlite(_migrated_file(Path(config.cache.mkdir("migrated"))))
    else:
        database["TEST"]["TEMPLATE"] = _migrated_on_postgresql(database)


def copy_migrated(config: pytest.Config, target: Path) -> None:
    """Make an SQLite database for processes that a test starts, as `manage.py migrate` leaves it."""
    assert config.cache
    shutil.copyfile(_migrated_file(Path(config.cache.mkdir("migrated"))), target)


def _fingerprint() -> str:
    known = hashlib.sha256(django.__version__.encode())  # of which `tests.versions` tries several
    code = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    for path in (ROOT / "tests" / "settings.py", ROOT / "requirements-dev.lock", *code):
        known.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return known.hexdigest()[:16]


def _migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "-v0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _migrated_file(folder: Path) -> Path:
    """Two processes that begin at the same moment each make one, and the second one stays."""
    file = folder / f"{_fingerprint()}.sqlite3"
    if not file.exists():
        for old in folder.glob("*.sqlite3"):
            old.unlink(missing_ok=True)
        made = folder / f"{file.stem}.{os.getpid()}.making"
        _migrate(f"sqlite:///{made}")
        made.rename(file)
    return file


def _copy_into_sqlite(file: Path) -> None:
    def fill(connection: Any, **_: Any) -> None:
        if connection.vendor != "sqlite":
            return
        connection_created.disconnect(fill)
        with closing(sqlite3.connect(file)) as migrated:
            migrated.backup(connection.connection)

    connection_created.connect(fill, weak=False)


def _migrated_on_postgresql(database: dict[str, Any]) -> str:
    name = f"{PREFIX}{_fingerprint()}"
    making = f"{name}_making"
    with _server(database) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until the connection is closed
        found = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
        there = {row[0] for row in found}
        if name not in there:
            for old in there:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            _migrate(f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{making}")
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            server.execute(rename.format(sql.Identifier(making), sql.Identifier(name)))
    return name


@contextmanager
def _server(database: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    whereto = {"host": database["HOST"], "port": database["PORT"] or None, "user": database["USER"]}
    with psycopg.connect(
        **whereto, password=database["PASSWORD"] or None, dbname="postgres", autocommit=True
    ) as server:
        yield server
