"""What a thief of the database would hold in hands, and looking for secrets in it."""

import os
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from django.db import connection


def found_in(haystack: bytes, secrets: Iterable[str]) -> list[str]:
    """Return the secrets that stand in `haystack` in any usual encoding."""
    return [
        secret
        for secret in secrets
        for spelling in (
            secret.encode(),
            secret.encode("utf-16-le"),
            secret.encode("unicode_escape"),
            quote(secret).encode(),
        )
        if spelling in haystack
    ]


def dump(tmp_path: Path) -> bytes:
    """Return all that the database has written down."""
    if connection.vendor == "postgresql":
        values = connection.settings_dict
        command = ["pg_dump", "-h", values["HOST"], "-p", str(values["PORT"]), "-U", values["USER"], values["NAME"]]
        environment = {**os.environ, "PGPASSWORD": str(values["PASSWORD"])}
        return subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment).stdout
    name = str(connection.settings_dict["NAME"])
    files = b"".join(
        path.read_bytes() for path in Path(name).parent.glob(Path(name).name + "*") if "memory" not in name
    )
    # The pages of a database in memory, as they would stand in a file and its write-ahead log.
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
        copy.execute("PRAGMA journal_mode=WAL")
        connection.ensure_connection()
        connection.connection.backup(copy)
        return files + b"".join(path.read_bytes() for path in sorted(tmp_path.glob("copy.sqlite3*")))
