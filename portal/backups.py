"""Backups of the database: made whole or not at all, read back before they count, and kept by number."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

NAME = "portal-"


class BackupFailed(Exception):
    """There is no new backup; the message says why. Older ones are left alone."""


def make(directory: Path, *, now: datetime, keep: int) -> Path:
    """Back up the database into a directory.

    Args:
        directory: made where it is missing; only its owner may look into it then.
        now: names the backup.
        keep: how many backups stay there; the oldest go once the new one is read back.

    Returns:
        The file.

    Raises:
        BackupFailed: there is no new one.
    """
    suffix = ".sqlite3" if connection.vendor == "sqlite" else ".dump"
    path = directory / f"{NAME}{now:%Y%m%d-%H%M%S}{suffix}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=directory, prefix=".unfinished-")  # for its owner alone
        os.close(handle)
    except OSError as error:
        raise BackupFailed(f"{directory} can't be written to: {error.strerror}") from error
    unfinished = Path(name)
    try:
        (_copy_sqlite if connection.vendor == "sqlite" else _dump_postgresql)(unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        raise BackupFailed(f"{directory}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    for old in sorted(directory.glob(f"{NAME}*{suffix}"))[:-keep]:
        old.unlink(missing_ok=True)
    return path


def _copy_sqlite(target: Path) -> None:
    """Copy page by page while the portal goes on, and read every page of the copy."""
    try:
        with (
            closing(sqlite3.connect(str(connection.settings_dict["NAME"]), uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"SQLite: {error}") from error
    if verdict != "ok":
        raise BackupFailed(f"the copy is damaged: {verdict}")


def _dump_postgresql(target: Path) -> None:
    """Dump in pg_dump's own format, and let pg_restore read all of it."""
    values = connection.settings_dict
    where = {"PGHOST": values["HOST"], "PGPORT": values["PORT"], "PGUSER": values["USER"]}
    where |= {"PGPASSWORD": values["PASSWORD"], "PGDATABASE": values["NAME"]}
    environment = {**os.environ, **{name: str(value) for name, value in where.items() if value}}
    _run(["pg_dump", "--format=custom", f"--file={target}"], environment)
    _run(["pg_restore", "--file=/dev/null", str(target)], environment)


def _run(command: list[str], environment: dict[str, Any]) -> None:
    if shutil.which(command[0]) is None:
        raise BackupFailed(f"{command[0]} is not installed: it comes with PostgreSQL's client programs")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  (our own words)
    if done.returncode:
        raise BackupFailed(f"{command[0]}: {done.stderr.strip() or done.returncode}".replace(settings.SECRET_KEY, "…"))
